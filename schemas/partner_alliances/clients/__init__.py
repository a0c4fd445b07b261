"""The surface that the alliances' clients know: words and errors in Spanish, and the gateway."""
