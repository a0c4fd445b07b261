"""The surface that the subscriptions' clients know: words and errors in Spanish, gateways and topics."""
