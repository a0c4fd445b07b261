"""``caudal replay`` and ``caudal why``: a log's events with who did what, and the causes and effects of one event."""
