"""``caudal sagas``: lists sagas and what keeps them from going on, shows their steps, retries them or cancels them."""
