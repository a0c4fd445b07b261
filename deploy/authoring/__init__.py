"""Help for authors of systems: checks of what they declare."""
