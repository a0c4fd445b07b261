"""Migrations of the databases."""
