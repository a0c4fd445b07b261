"""``caudal subscriptions``: pauses projections and policies, resumes them, and moves their checkpoints."""
