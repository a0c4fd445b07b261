"""The origins of the alliances' clients."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway(
        "partner_alliances",
        8000,
        "Partners, contracts, compliance and campaigns.",
        paths={"GET /saga/logs": "/partner_alliances/saga/logs"},
        answers={"/ping": "pong", "/posts/ping": "pong"},
        health={"status": "up", "db_status": "connected", "service": "partner_alliances"},
    ),
    Gateway(
        "partner_alliances.bff",
        8001,
        "Partners for the web page, which does not wait for the registration of one.",
        paths={
            "POST /api/v1/partners": "/bff/api/v1/partners",
            "GET /api/v1/partners": "/api/v1/partners",
            "GET /api/v1/partners/{id}": "/api/v1/partners/{id}",
        },
        only_paths=True,
        answers={"/ping": "pong"},
    ),
)
