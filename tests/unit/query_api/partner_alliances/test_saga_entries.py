"""The log of onboardings, as the alliances' clients know it."""

from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from aggregates.scenario import MIDNIGHT
from query_api.partner_alliances.saga_entries import saga_entries, saga_entry
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.sensitive import MARK
from schemas.view import View
from tests.unit.query_api.asking import request_of

ROW = SagaLogs(
    entry_id="s/1",
    saga_id="s",
    event_type="ContractRejected",
    payload={"cause": "sanctions", "email": f"{MARK}x:y"},
    step_status="handled",
    saga_status="in_review",
    references={"temporary_id": str(UUID(int=1)), "partner_id": str(UUID(int=2))},
    happened_at=MIDNIGHT,
    received_at=MIDNIGHT,
    handled_at=MIDNIGHT,
).model_dump()


class Views:
    """The log of one saga; keeps the filters of pages."""

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str], limit: int) -> Page:
        self.asked = view, fixed, limit
        return Page([ROW], "next")

    async def all_rows(self, request: Request, view: type[View], seen: None, *fixed: tuple[str, str]) -> list[Any]:
        assert (view, fixed) == (Sagas, (("saga_id[in]", "s"),))
        return [{"saga_id": "s", "status": "failed"}]


def test_an_event_is_shown_in_the_clients_words() -> None:
    assert saga_entry(ROW).model_dump() == {
        "saga_id": "s",
        "tipo_evento": "ContratoRechazado",
        "evento_data": {
            "cause": "sanctions",
            "email": None,
            "evento_tipo": "ContratoRechazado",
            "timestamp": MIDNIGHT.isoformat(),
        },
        "estado_procesamiento": "PROCESADO",
        "estado_saga": "PENDIENTE_REVISION",
        "error": None,
        "recibido_en": MIDNIGHT,
        "procesado_en": MIDNIGHT,
        "partner_id_temporal": UUID(int=1),
        "partner_id": UUID(int=2),
    }


def test_an_event_that_came_too_early_waits_and_belongs_to_no_partner_yet() -> None:
    entry = saga_entry({**ROW, "event_type": "PartnerCreated", "step_status": "received", "references": {}, "handled_at": None})

    assert (entry.tipo_evento, entry.estado_procesamiento, entry.procesado_en) == ("PartnerCreated", "RECIBIDO", None)
    assert (entry.partner_id_temporal, entry.partner_id) == (None, None)


@pytest.mark.parametrize(("query", "order"), [("", (("sort", "-position"),)), ("sort=event_type", ())])
async def test_the_log_holds_the_events_of_onboardings_the_newest_first(query: str, order: Any) -> None:
    views = Views()

    answer = await saga_entries(QueryContext(request_of("/saga/logs", query), views, None, {}, None, None))  # type: ignore[arg-type]

    assert [(one.saga_id, one.estado_saga) for one in answer.body] == [("s", "FALLIDA")]
    assert views.asked == (SagaLogs, (("saga", "partner_alliances.onboarding"), ("kind", "event"), *order), 1000)
