"""The timers of sagas."""
