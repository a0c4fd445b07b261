"""Integration topics: what other teams read, published beside the topics of the logs, in Avro, JSON or text."""
