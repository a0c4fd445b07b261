"""The view of notifications, for each system that has some."""
