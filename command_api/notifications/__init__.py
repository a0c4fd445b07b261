"""The mail of notifications, for each system that has some."""
