"""Both logs: the PostgreSQL event log and the topics. The only folder that opens connections."""
