"""Partner alliances, as far as commands go: their clients' paths, and what compliance has opened."""
