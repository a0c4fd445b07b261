"""The log of one subscription's saga, as the clients know it: rows for the start and the end of each step, in order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue, RootModel

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.engine.saga_views import SagaLogs
from schemas.errors import NotFound
from schemas.health_subscriptions.clients import dialect
from schemas.sensitive import without_encrypted

_STARTS, _COMPLETES, _ACTIVATE = "SubscriptionRequested", "SubscriptionActivated", "activate-subscription"
_ENDED = ("failed", "cancelled")
_FAILING = ("compensating", *_ENDED)


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


class Bitacora(RootModel[list[Paso]]):
    """Los pasos de la saga de una suscripción, en orden."""


async def saga_log(context: QueryContext) -> Answer:
    """Returns the steps of a subscription's saga that the caller may read; raises `NotFound` if there are none."""
    id = context.path_parameter("id")
    fixed = ("saga", "health_subscriptions.subscription"), ("reference_ids[has]", id), ("sort", "position")
    found = await context.views.all_rows(context.request, SagaLogs, None, *fixed)
    rows = [row for row in found if row["references"].get("subscription_id") == id]  # and not of the customer with it
    if not rows:
        raise NotFound(f"there is no saga of the subscription {id}")
    return Answer(Bitacora(steps_of(rows, id)))


def steps_of(rows: Sequence[Row], id: str = "") -> list[Paso]:
    """Returns the clients' rows for the entries of one saga's log.

    Each command but the last activation is a step, T1, T2 and so on, whichever plan it belongs to::

        Inicio Saga, Inicio T1, Fin Exitoso T1, Inicio T2, Fin Exitoso T2, Fin Saga
        Inicio Saga, Inicio T1, Fin Exitoso T1, Inicio T2, Fin Fallido T2, Compensacion T2, Compensacion T1, Fin Saga
    """
    steps, current, compensated, before = list[Paso](), 0, dict[str, int](), "running"
    for row in rows:
        if (description := _description(row, current, compensated, before)) is not None:
            steps.append(_step(row, len(steps), id, description))
        for sent in row["sent"]:
            if sent["compensates"] is not None:
                compensated[sent["command"]] = sent["compensates"]
            elif sent["command"] != _ACTIVATE:
                current = sent["number"]
                steps.append(_started(row, len(steps), id, sent["command"], current))
        if row["saga_status"] in _ENDED and before not in _ENDED:
            steps.append(_step(row, len(steps), id, "Fin Saga"))
        before = row["saga_status"]
    return steps


def _description(row: Row, current: int, compensated: Mapping[str, int], before: str) -> str | None:
    """Returns the clients' words for an entry; ``None`` for one that they do not have, as the acceptance of a command."""
    name = row["event_type"]
    if row["kind"] == "outcome" and name in compensated:
        return f"Compensacion T{compensated[name]}"
    if before in _FAILING:
        return None  # an event that follows from a compensation, or comes too late
    if row["saga_status"] in _FAILING:
        return None if name == _ACTIVATE else f"Fin Fallido T{current}"
    if row["kind"] == "outcome":
        return None
    if name in (_STARTS, _COMPLETES):
        return "Inicio Saga" if name == _STARTS else "Fin Saga"
    return f"Fin Exitoso T{current}" if row["sent"] else name  # an event that changed nothing has its own name


def _step(row: Row, index: int, id: str, description: str) -> Paso:
    has_failed = row["rejection"] is not None or row["saga_status"] in _FAILING
    error = row["rejection"] or ("Tiempo agotado" if row["kind"] == "timer" else row["event_type"])
    sent = row["sent"]
    return Paso(
        id_correlacion=id,
        index=index,
        descripcion=description,
        evento=row["event_type"] if row["kind"] == "event" else None,
        evento_error=error if has_failed and (row["rejection"] or row["kind"] != "outcome") else None,
        comando=next((one["command"] for one in sent if one["compensates"] is None), None),
        comando_compensacion=next((one["command"] for one in sent if one["compensates"] is not None), None),
        input=without_encrypted(row["payload"] or {}),
        output=sent,
        exitosa=not has_failed,
        fecha_creacion=row["received_at"],
    )


def _started(row: Row, index: int, id: str, command: str, number: int) -> Paso:
    return Paso(
        id_correlacion=id,
        index=index,
        descripcion=f"Inicio T{number}",
        evento=None,
        evento_error=None,
        comando=command,
        comando_compensacion=None,
        input={},
        output=[],
        exitosa=True,
        fecha_creacion=row["received_at"],
    )


QUERIES = (
    Query(
        "/sagas/bitacora/{id}",
        SagaLogs,
        "The log of one subscription's saga, in order.",
        handler=saga_log,
        reply=Bitacora,
        is_page=False,
        errors=dialect.SUBSCRIPTIONS,
    ),
)
