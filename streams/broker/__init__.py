"""The broker: topics, clients, and records as CloudEvents."""
