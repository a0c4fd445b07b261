"""``caudal relay``: publishes events to topics again."""
