"""Policies at work: events in, commands out."""
