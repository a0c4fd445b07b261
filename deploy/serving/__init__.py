"""One of Caudal's processes: its HTTP server and its background work."""
