"""The event log of one context: appended to, read, searched; and its twin in memory."""
