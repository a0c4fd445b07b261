"""The running of Caudal: the ``caudal`` command, the local stack, the compose file and the image."""
