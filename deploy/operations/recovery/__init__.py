"""``caudal recover``: goes on with a log that went back."""
