"""``caudal relay``: what operators do with topics that the relay fills."""
