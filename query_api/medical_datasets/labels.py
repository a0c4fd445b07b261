"""The words in which the datasets' clients read the status of a saga and of its steps."""

from query_api.queries.saga_labels import SagaLabels

SAGA_LABELS = SagaLabels(
    statuses={
        "running": "EN_CURSO",
        "compensating": "DESHACIENDO",
        "completed": "COMPLETADA",
        "failed": "FALLIDA",
        "cancelled": "CANCELADA",
    },
    steps={"received": "RECIBIDO", "handled": "PROCESADO", "failed": "ERROR"},
)
