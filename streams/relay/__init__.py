"""The relay, which publishes each log to its topic."""
