"""The examination of an installation: ``caudal doctor``."""
