"""Events of which processes die: they are noted before they are handled, and parked at the third try."""
