"""Commands on topics: their sender and their consumer."""
