"""``caudal projections``: builds views again beside the live ones, and switches between versions."""
