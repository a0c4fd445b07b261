"""The local stack: PostgreSQL, a broker, a mail server and Caudal's processes, without Docker and on loopback alone."""
