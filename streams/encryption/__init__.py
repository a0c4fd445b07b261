"""Encryption of personal data under a key for each data subject."""
