"""The surface that the clients of a system know: the form of errors on its own paths, and its gateways."""
