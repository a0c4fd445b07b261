"""``caudal recover``: continues with a log that went back."""
