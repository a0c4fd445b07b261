"""Views, read."""
