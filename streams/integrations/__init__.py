"""Integrations: applications of the package `eventsourcing`, and mail."""
