"""Contracts as the partner alliances' clients see them, event by event."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import recorded
from projectors.partner_alliances.contracts import PROJECTIONS
from query_api.partner_alliances.rows import contract
from schemas.message import Event
from schemas.partner_alliances import contracts
from schemas.partner_alliances.compliance import ContractRejected
from schemas.partner_alliances.views import Contracts

WHOSE: dict[str, Any] = {"contract_id": UUID(int=1), "partner_id": UUID(int=2), "temporary_id": UUID(int=3)}
CREATED = contracts.ContractCreated(**WHOSE, product="P", terms={"a": 1}, starts_on=date(2030, 1, 1), ends_on=None)
ACTIVATED = contracts.ContractActivated(**WHOSE, ends_on=None)
REVISION = contracts.ContractRevision(**WHOSE, reason="why")
REJECTED = ContractRejected(**WHOSE, verdicts=[], sanction_list=1, cause="why")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([CREATED], "PENDIENTE"),
        ([CREATED, REVISION], "PENDIENTE"),
        ([CREATED, REJECTED, REVISION], "RECHAZADO"),
        ([CREATED, ACTIVATED], "ACTIVO"),
        ([CREATED, ACTIVATED, contracts.ContractSuspended(**WHOSE, reason="why")], "INACTIVO"),
        (
            [CREATED, ACTIVATED, contracts.ContractSuspended(**WHOSE, reason="why"), contracts.ContractResumed(**WHOSE)],
            "ACTIVO",
        ),
        ([CREATED, contracts.ContractDeactivated(**WHOSE, reason="why")], "INACTIVO"),
        ([CREATED, ACTIVATED, contracts.ContractExpired(**WHOSE)], "VENCIDO"),
        (
            [CREATED, REVISION, contracts.ContractRevisionDecided(**WHOSE, approved=False, reason="no", decided_by="ana")],
            "RECHAZADO",
        ),
    ],
)
def test_each_state_is_shown_in_their_words(events: list[Event], state: str) -> None:
    row: Contracts | None = Contracts(contract_id=WHOSE["contract_id"])
    for event in events:
        assert type(event) in PROJECTIONS[0].events
        assert row is not None
        row = PROJECTIONS[0].apply(row, recorded(event))
    assert row is not None

    assert contract(row.model_dump()).estado == state
