"""The log of one subscription's saga, as the clients know it: a row for each input, in order."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import MAX_LIMIT, Row
from schemas.engine.saga_views import SagaLogs
from schemas.errors import NotFound
from schemas.health_subscriptions.clients import dialect
from schemas.sensitive import without_encrypted

_STEPS: Mapping[str, str] = {
    "SubscriptionRequested": "Inicio Saga",
    "SubscriptionCreated": "Fin Exitoso T1",
    "SubscriptionFailed": "Fin Fallido T1",
    "InfrastructureCreated": "Fin Exitoso T2",
    "InfrastructureNotCreated": "Fin Fallido T2",
    "SubscriptionActivated": "Fin Saga",
    "create-pending-subscription": "Fin Fallido T1",
    "provision-infrastructure": "Fin Fallido T2",
    "remove-pending-subscription": "Compensacion T1",
    "remove-infrastructure": "Compensacion T2",
    "step": "Tiempo agotado",
}
"""The clients' words for events, rejected commands, compensations and timers; others are shown under their own names."""
_COMPENSATIONS = {"remove-pending-subscription", "remove-infrastructure"}


class Paso(BaseModel):
    """Un paso de la saga de una suscripción."""

    id_correlacion: str
    index: int
    descripcion: str
    evento: str | None = Field(description="El evento que la saga recibió.")
    evento_error: str | None = Field(description="El evento o el rechazo que la hizo fallar.")
    comando: str | None = Field(description="El comando que siguió.")
    comando_compensacion: str | None = Field(description="El comando que compensa otro.")
    input: dict[str, JsonValue] = Field(description="El evento, con null en lugar de cada texto cifrado.")
    output: list[JsonValue] = Field(description="Los comandos que siguieron.")
    exitosa: bool
    fecha_creacion: datetime


async def saga_log(context: QueryContext) -> Answer:
    """Returns the steps of a subscription's saga that the caller may read; raises `NotFound` if there are none."""
    id = context.path_parameter("id")
    fixed = ("saga", "health_subscriptions.subscription"), ("reference_ids[has]", id), ("sort", "position")
    page = await context.views.page(context.request, SagaLogs, *fixed, limit=MAX_LIMIT)
    rows = [row for row in page.rows if row["references"].get("subscription_id") == id]  # and not of the customer with it
    if not rows:
        raise NotFound(f"there is no saga of the subscription {id}")
    steps = [row for row in rows if row["kind"] != "outcome" or row["rejection"] or row["event_type"] in _COMPENSATIONS]
    return context.page(page, [shown(row, index, id) for index, row in enumerate(steps)])


def shown(row: Row, index: int = 0, id: str = "") -> Paso:
    """Returns an entry of the log in the clients' words."""
    sent = row["sent"]
    has_failed = row["rejection"] is not None or row["saga_status"] in ("compensating", "failed", "cancelled")
    return Paso(
        id_correlacion=id,
        index=index,
        descripcion=_STEPS.get(row["event_type"], row["event_type"]),
        evento=row["event_type"] if row["kind"] == "event" else None,
        evento_error=row["rejection"] or (row["event_type"] if has_failed and row["kind"] != "outcome" else None),
        comando=next((one["command"] for one in sent if one["compensates"] is None), None),
        comando_compensacion=next((one["command"] for one in sent if one["compensates"] is not None), None),
        input=without_encrypted(row["payload"] or {}),
        output=sent,
        exitosa=not has_failed,
        fecha_creacion=row["received_at"],
    )


QUERIES = (
    Query(
        "/sagas/bitacora/{id}",
        SagaLogs,
        "The log of one subscription's saga, in order.",
        shape=shown,
        handler=saga_log,
        limit=MAX_LIMIT,
        errors=dialect.SUBSCRIPTIONS,
    ),
)
