"""PostgreSQL: connections, errors, stores with named statements, and the tables of views."""
