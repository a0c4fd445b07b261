"""The write side: receives commands over HTTP and topics, decides them, and appends the events."""
