"""``caudal subscriptions``: lists projections and policies, pauses them, resumes them, and moves their checkpoints."""
