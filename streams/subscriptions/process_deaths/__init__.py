"""Events and commands of which processes die: noted before they are handled, and parked after two deaths alone (ADR 0009)."""
