"""``caudal schemas``: today's event classes compared with their recorded shapes."""
