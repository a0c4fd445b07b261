"""The engine's own activities."""
