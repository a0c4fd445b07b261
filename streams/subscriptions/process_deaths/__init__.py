"""Events of which processes die: they are noted before they are handled, and parked after two deaths alone (ADR 0009)."""
