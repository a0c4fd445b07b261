"""Everything that runs the processes: the ``caudal`` command, the local stack, compose file and image."""
