"""The log of onboardings, in the words of the alliances' clients."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from query_api.partner_alliances.labels import SAGA_LABELS
from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import MAX_LIMIT, Row
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.partner_alliances.clients import dialect
from schemas.sensitive import without_encrypted

_EVENT_TYPES: Mapping[str, str] = {
    "PartnerRequested": "CreatePartner",
    "ContractCreated": "ContratoCreado",
    "ContractCreationFailed": "ContratoCreadoFailed",
    "ContractApproved": "ContratoAprobado",
    "ContractRejected": "ContratoRechazado",
    "ContractRevision": "RevisionContrato",
}
"""The clients' names of events; others have their own."""


class EntradaDeSaga(BaseModel):
    """Un evento de la incorporación de un partner."""

    saga_id: str
    tipo_evento: str
    evento_data: dict[str, JsonValue] = Field(description="El evento, con null en lugar de cada texto cifrado.")
    estado_procesamiento: str = Field(description="RECIBIDO, PROCESADO o ERROR.")
    estado_saga: str = Field(description="El estado de la saga ahora.")
    error: str | None
    recibido_en: datetime
    procesado_en: datetime | None
    partner_id_temporal: UUID | None
    partner_id: UUID | None


async def saga_entries(context: QueryContext) -> Answer:
    """Returns a page of the log of onboardings, the newest first unless the request sorts them."""
    newest_first = () if "sort" in context.request.query_params else (("sort", "-position"),)
    onboardings = ("saga", "partner_alliances.onboarding"), ("kind", "event")
    page = await context.views.page(context.request, SagaLogs, *onboardings, *newest_first, limit=MAX_LIMIT)
    ids = ",".join(sorted({row["saga_id"] for row in page.rows}))
    sagas = await context.views.all_rows(context.request, Sagas, None, ("saga_id[in]", ids)) if ids else []
    statuses = {row["saga_id"]: row["status"] for row in sagas}
    return context.page(page, [saga_entry({**row, **_status_now(row, statuses)}) for row in page.rows])


def _status_now(row: Row, statuses: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the saga's status; an entry alone has that which it had after the event."""
    return {"saga_status": statuses[row["saga_id"]]} if row["saga_id"] in statuses else {}


def saga_entry(row: Row) -> EntradaDeSaga:
    """Returns an entry of the log in the clients' words."""
    event_type = _EVENT_TYPES.get(row["event_type"], row["event_type"])
    payload: dict[str, Any] = without_encrypted(row["payload"] or {})
    references = row["references"]
    return EntradaDeSaga(
        saga_id=row["saga_id"],
        tipo_evento=event_type,
        evento_data={**payload, "evento_tipo": event_type, "timestamp": row["happened_at"].isoformat()},
        estado_procesamiento=SAGA_LABELS.step(row["step_status"]),
        estado_saga=SAGA_LABELS.status(row["saga_status"]),
        error=row["problem"],
        recibido_en=row["received_at"],
        procesado_en=row["handled_at"],
        partner_id_temporal=references.get("temporary_id"),
        partner_id=references.get("partner_id"),
    )


QUERIES = (
    Query(
        "/partner_alliances/saga/logs",
        SagaLogs,
        "The log of onboardings, a page at a time, the newest first.",
        shape=saga_entry,
        handler=saga_entries,
        limit=MAX_LIMIT,
        errors=dialect.ERRORS,
    ),
)
