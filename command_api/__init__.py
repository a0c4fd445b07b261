"""The write side: takes commands in over HTTP and topics, decides them, and appends what was decided."""
