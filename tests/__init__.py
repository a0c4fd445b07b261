"""Tests mirror the folders and read as a specification."""
