"""Contract suites for those who write a log of their own; the engine itself does not import them."""
