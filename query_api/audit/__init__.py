"""The audit: the events of the logs, the states that they lead to, their causes, and their proofs."""
