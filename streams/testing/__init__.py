"""Contract suites for authors of a log; the engine itself does not import them."""
