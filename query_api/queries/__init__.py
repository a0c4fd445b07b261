"""Queries that a system declares for paths of its own."""
