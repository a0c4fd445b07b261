"""Integrity: the hash chain, signed heads, and the verification of logs and topics."""
