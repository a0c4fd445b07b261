"""``caudal verify``: proves that the logs are whole, the topics are the logs, and the views what the logs make."""
