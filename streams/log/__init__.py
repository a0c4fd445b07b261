"""The event log of one context: appending, reading, searching, and a log in memory."""
