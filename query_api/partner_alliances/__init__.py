"""The queries of the partner alliances, whose clients read Spanish."""

from query_api.partner_alliances import compliance, profiles, rows
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

QUERIES = (*rows.QUERIES, *compliance.QUERIES, *profiles.QUERIES)
