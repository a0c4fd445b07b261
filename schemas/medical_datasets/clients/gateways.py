"""The origins of the medical datasets' clients: one for the services, one for web pages, one for phones."""

from schemas.clients.gateway import Gateway

_PROCESSED = {"message": "Get request processed successfully"}
GATEWAYS = (
    Gateway(
        "medical_datasets",
        5006,
        "Anonymisation, mapping to Parquet, and datasets.",
        answers={
            "/anonimacion/test_anonimacion": _PROCESSED,
            "/mapear/test_mapear": _PROCESSED,
            "/procesamiento/test_procesamiento": _PROCESSED,
        },
    ),
    Gateway(
        "medical_datasets.bff_web",
        5014,
        "Parquet files for web pages.",
        paths={"GET /obtener-parquets": "/bff_web/obtener-parquets"},
        only_paths=True,
    ),
    Gateway(
        "medical_datasets.bff_mobile",
        5015,
        "Parquet files for phones, without notes and data.",
        paths={"GET /obtener-parquets": "/bff_mobile/obtener-parquets"},
        only_paths=True,
    ),
)
