"""``caudal verify``: proves that logs, topics and views agree."""
