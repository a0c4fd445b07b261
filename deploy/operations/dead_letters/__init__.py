"""``caudal dead-letters``: lists the events that subscriptions could not process, edits them, redrives them or skips them."""
