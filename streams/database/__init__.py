"""PostgreSQL: connections, statements, and the tables of views."""
