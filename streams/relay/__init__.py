"""The relay: publishes each log to its topic."""
