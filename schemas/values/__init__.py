"""Values of messages: what every store can hold, times in UTC, and names in the form in which they are compared."""
