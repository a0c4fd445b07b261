"""Commands topics."""
