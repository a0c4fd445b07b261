"""Live pages: a system's events in its clients' browsers, by WebSocket."""
