"""One process: its HTTP server and its background work."""
