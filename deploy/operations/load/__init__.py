"""``caudal load``: sends every line of a file as a command."""
