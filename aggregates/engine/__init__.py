"""The engine's own decisions."""
