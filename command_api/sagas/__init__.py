"""Sagas at work."""
