"""Sagas: work that spans contexts, decided step by step."""
