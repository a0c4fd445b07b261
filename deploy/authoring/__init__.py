"""Help for authors of systems: checks of what they declare, and a system in one file, in memory."""
