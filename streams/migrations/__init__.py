"""Migrations of the databases, and the wait for them."""
