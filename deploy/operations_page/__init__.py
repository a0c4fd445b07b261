"""The operator's page: screens that answer one question each, made on the server, and every operation in two steps."""
