"""Data subjects: their erasure."""
