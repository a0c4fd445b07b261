"""The clients' words, gateways and topics of the medical datasets."""
