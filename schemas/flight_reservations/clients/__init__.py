"""The words of the flight reservations' clients: gateways, errors, answers and topics of other teams."""
