"""The log of a subscription's saga, as its clients know it."""

from typing import Any

import pytest
from starlette.requests import Request

from aggregates.scenario import MIDNIGHT
from query_api.health_subscriptions.saga_entries import saga_log
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.engine.saga_views import SagaLogs
from schemas.errors import NotFound
from schemas.sensitive import MARK
from schemas.view import View
from tests.unit.query_api.asking import request_of


def entry(event_type: str, kind: str = "event", **changes: Any) -> dict[str, Any]:
    row = SagaLogs.model_validate({"entry_id": event_type, "kind": kind, "event_type": event_type, "received_at": MIDNIGHT})
    return {**row.model_dump(), "references": {"subscription_id": "7"}, "saga_status": "running", "sent": [], **changes}


def sent(command: str, compensates: int | None = None) -> dict[str, Any]:
    return {"command": command, "number": 1, "compensates": compensates}


ROWS = [
    entry("SubscriptionRequested", sent=[sent("create-pending-subscription")], payload={"email": f"{MARK}x:y"}),
    entry("create-pending-subscription", "outcome"),
    entry("SubscriptionCreated", sent=[sent("provision-infrastructure")]),
    entry("InfrastructureNotCreated", saga_status="compensating", sent=[sent("remove-infrastructure", 2)]),
    entry("remove-infrastructure", "outcome", saga_status="compensating", sent=[sent("remove-pending-subscription", 1)]),
    entry("remove-pending-subscription", "outcome", saga_status="failed"),
]


class Views:
    """The log of one saga."""

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str], limit: int) -> Page:
        assert fixed == (("saga", "health_subscriptions.subscription"), ("reference_ids[has]", "7"), ("sort", "position"))
        return Page(ROWS if not request.query_params else [], None)


def asked(query: str = "") -> QueryContext:
    request = request_of("/sagas/bitacora/7", query)
    request.path_params["id"] = "7"
    return QueryContext(request, Views(), None, {}, None, None)  # type: ignore[arg-type]


async def test_each_step_has_its_words_and_what_followed() -> None:
    steps = (await saga_log(asked())).body

    assert [(one.index, one.descripcion, one.comando, one.comando_compensacion, one.exitosa) for one in steps] == [
        (0, "Inicio Saga", "create-pending-subscription", None, True),
        (1, "Fin Exitoso T1", "provision-infrastructure", None, True),
        (2, "Fin Fallido T2", None, "remove-infrastructure", False),
        (3, "Compensacion T2", None, "remove-pending-subscription", False),
        (4, "Compensacion T1", None, None, False),
    ]
    assert [one.evento_error for one in steps] == [None, None, "InfrastructureNotCreated", None, None]
    assert steps[0].input == {"email": None}


async def test_a_subscription_without_a_saga_has_no_log() -> None:
    with pytest.raises(NotFound):
        await saga_log(asked("event_type=nothing"))
