"""``caudal projections``: rebuilds views beside the live ones, switches to them, and back."""
