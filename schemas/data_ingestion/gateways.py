"""The origin of the clients that deliver data and look it up."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway(
        "data_ingestion",
        8002,
        "Deliveries of data, and what became of them.",
        answers={"/": "Servicio de ingesta en ejecución"},
    ),
)
