"""The engine's own queries."""
