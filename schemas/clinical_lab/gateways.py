"""The origin of the laboratory's clients."""

from schemas.clients.gateway import Gateway

GATEWAYS = (
    Gateway(
        "clinical_lab",
        8080,
        "Users, results and notifications of the clinical laboratory.",
        paths={"GET /saga/logs": "/clinical_lab/saga/logs"},
        answers={"/": {"message": "BFF Running"}},
        health={"status": "ok"},
    ),
)
