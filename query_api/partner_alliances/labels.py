"""The words in which the alliances' clients read the status of a saga and of its steps."""

from query_api.queries.saga_labels import SagaLabels

SAGA_LABELS = SagaLabels(
    statuses={
        "running": "INICIADA",
        "in_review": "PENDIENTE_REVISION",
        "completed": "COMPLETADA",
        "compensating": "COMPENSANDO",
        "failed": "FALLIDA",
        "cancelled": "CANCELADA",
    },
    steps={"received": "RECIBIDO", "handled": "PROCESADO", "failed": "ERROR"},
)
