"""Encryption of personal data, under one key for each data subject."""
