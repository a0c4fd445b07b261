"""The event log in PostgreSQL and the topics on the broker: the only package that opens connections."""
