"""The operations API: every operation and every reading of an operator over HTTP."""
