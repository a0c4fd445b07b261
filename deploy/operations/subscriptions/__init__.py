"""``caudal subscriptions``: lets projections and policies rest, go on, or start elsewhere."""
