"""The log of a subscription's saga, as its clients know it."""

from typing import Any

import pytest
from starlette.requests import Request

from aggregates.scenario import MIDNIGHT
from query_api.health_subscriptions.saga_entries import saga_log, steps_of
from query_api.queries.context import QueryContext
from schemas.engine.saga_views import SagaLogs
from schemas.errors import NotFound
from schemas.sensitive import MARK
from schemas.view import View
from tests.unit.query_api.asking import request_of


def entry(event_type: str, kind: str = "event", **changes: Any) -> dict[str, Any]:
    row = SagaLogs.model_validate({"entry_id": event_type, "kind": kind, "event_type": event_type, "received_at": MIDNIGHT})
    return {**row.model_dump(), "references": {"subscription_id": "7"}, "saga_status": "running", "sent": [], **changes}


def sent(command: str, number: int, compensates: int | None = None) -> dict[str, Any]:
    return {"command": command, "number": number, "compensates": compensates}


CREATE, PROVISION = sent("create-pending-subscription", 1), sent("provision-plan", 2)
ROWS = [
    entry("SubscriptionRequested", sent=[CREATE], payload={"email": f"{MARK}x:y"}),
    entry("create-pending-subscription", "outcome"),
    entry("SubscriptionCreated", sent=[PROVISION]),
    entry("SubscriptionFailed"),
    entry("InfrastructureNotCreated", saga_status="compensating", sent=[sent("remove-infrastructure", 3, 2)]),
    entry("provision-plan", "outcome", saga_status="compensating"),
    entry("remove-infrastructure", "outcome", saga_status="compensating", sent=[sent("remove-pending-subscription", 4, 1)]),
    entry("InfrastructureRemoved", saga_status="compensating"),
    entry("remove-pending-subscription", "outcome", saga_status="failed"),
    entry("SubscriptionRemoved", saga_status="failed"),
]


class Views:
    """The log of one saga."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    async def all_rows(self, request: Request, view: type[View], seen: None, *fixed: tuple[str, str]) -> list[Any]:
        assert fixed == (("saga", "health_subscriptions.subscription"), ("reference_ids[has]", "7"), ("sort", "position"))
        return self.rows


def asked(*rows: Any) -> QueryContext:
    request = request_of("/sagas/bitacora/7")
    request.path_params["id"] = "7"
    return QueryContext(request, Views(list(rows)), None, {}, None, None)  # type: ignore[arg-type]


async def test_each_step_has_its_words_and_what_followed() -> None:
    steps = (await saga_log(asked(*ROWS))).body.root

    assert [(one.index, one.descripcion, one.comando, one.comando_compensacion, one.exitosa) for one in steps] == [
        (0, "Inicio Saga", "create-pending-subscription", None, True),
        (1, "Inicio T1", "create-pending-subscription", None, True),
        (2, "Fin Exitoso T1", "provision-plan", None, True),
        (3, "Inicio T2", "provision-plan", None, True),
        (4, "SubscriptionFailed", None, None, True),
        (5, "Fin Fallido T2", None, "remove-infrastructure", False),
        (6, "Compensacion T2", None, "remove-pending-subscription", False),
        (7, "Compensacion T1", None, None, False),
        (8, "Fin Saga", None, None, False),
    ]
    assert [one.evento_error for one in steps if one.evento_error] == ["InfrastructureNotCreated"]
    assert steps[0].input == {"email": None}


@pytest.mark.parametrize(
    ("last", "words", "error"),
    [
        ([entry("SubscriptionActivated", saga_status="completed")], ["Fin Saga"], None),
        ([entry("provision-plan", "outcome", rejection="no", saga_status="failed")], ["Fin Fallido T2", "Fin Saga"], "no"),
        (
            [
                entry("InfrastructureCreated", sent=[sent("activate-subscription", 3)]),
                entry("activate-subscription", "outcome", rejection="no", saga_status="failed"),
            ],
            ["Fin Exitoso T2", "Fin Saga"],
            None,
        ),
        ([entry("step", "timer", saga_status="failed")], ["Fin Fallido T2", "Fin Saga"], "Tiempo agotado"),
        (
            [
                entry("InfrastructureCreated", sent=[sent("premium.assign", 3)]),
                entry("ExpertAssigned", sent=[sent("activate-subscription", 4)]),
                entry("SubscriptionActivated", saga_status="completed"),
            ],
            ["Fin Exitoso T2", "Inicio T3", "Fin Exitoso T3", "Fin Saga"],
            None,
        ),
    ],
)
def test_a_saga_has_its_end_and_each_step_of_a_plan_its_number(
    last: list[dict[str, Any]], words: list[str], error: str | None
) -> None:
    steps = steps_of([*ROWS[:3], *last])

    assert [one.descripcion for one in steps[4:]] == words
    assert steps[4].evento_error == error


async def test_a_subscription_without_a_saga_has_no_log() -> None:
    with pytest.raises(NotFound):
        await saga_log(asked())
