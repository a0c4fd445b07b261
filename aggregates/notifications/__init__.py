"""The decisions, the policy and the saga of notifications, for each system that has some."""
