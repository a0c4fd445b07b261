"""Policies: events in, commands out to the topics of their contexts."""
