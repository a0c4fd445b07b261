"""What the clients of the partner alliances call how a process stands."""

from aggregates.sagas.definition import Words

SPANISH = Words(
    statuses={
        "running": "INICIADA",
        "in_review": "PENDIENTE_REVISION",
        "completed": "COMPLETADA",
        "compensating": "COMPENSANDO",
        "failed": "FALLIDA",
        "cancelled": "CANCELADA",
    },
    standings={"received": "RECIBIDO", "processed": "PROCESADO", "failed": "ERROR"},
)
