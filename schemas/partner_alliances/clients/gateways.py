"""The origin of the alliances' clients."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway(
        "partner_alliances",
        8000,
        "Partners, contracts, compliance and campaigns.",
        answers={"/ping": "pong", "/posts/ping": "pong"},
        health={"status": "up", "db_status": "connected", "service": "partner_alliances"},
    ),
)
