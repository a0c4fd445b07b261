"""The programs that the local stack runs beside Caudal's own processes: PostgreSQL, a broker and a mail server."""
