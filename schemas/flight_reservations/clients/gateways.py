"""The origin of the flight reservations' clients."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway(
        "flight_reservations",
        5000,
        "Reservations of flights and their customers.",
    ),
)
