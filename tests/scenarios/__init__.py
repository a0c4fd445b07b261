"""Quality scenarios of systems, in a size that a test or a benchmark chooses."""
