"""``caudal status``: whether everything is healthy, and what is not."""
