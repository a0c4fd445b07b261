"""``caudal dead-letters``: lists, edits, redrives and skips events that could not be processed; lists parked records."""
