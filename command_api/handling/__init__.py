"""Handling one command, from the request to the receipt."""
