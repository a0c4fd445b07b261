"""Answers of a system's own paths: values, and parts of the receipt."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from command_api.http.gateway import CommandGateway
from command_api.http.paths import (
    KEY,
    RECORDED_AT,
    AcceptedCommand,
    AcceptedCommandPath,
    CommandPath,
    FromState,
    Member,
    ReceiptField,
    answer_of,
    installed,
    location_of,
    receipt_as_json,
)
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import Receipt
from schemas.errors import Misconfigured

RECEIPT = Receipt(
    command_id=UUID(int=1),
    stream="delivery-a-b",
    version=2,
    position=7,
    partition=3,
    recorded_at=MIDNIGHT,
    events=("DataReceived",),
)
COMMAND = ReceiveData(partner_id="p", payload={})
GATEWAY: Any = object()


async def test_an_answer_names_values_and_parts_of_the_receipt() -> None:
    answer = {
        "id": KEY,
        "version": ReceiptField.VERSION,
        "command": ReceiptField.COMMAND_ID,
        "at": RECORDED_AT,
        "partner": Member("partner_id"),
        "estado": "INICIADA",
    }

    assert await answer_of(CommandPath("/x", ReceiveData, answer), COMMAND, RECEIPT, [], GATEWAY) == {
        "id": "a-b",
        "at": MIDNIGHT,
        "partner": "p",
        "version": 2,
        "command": UUID(int=1),
        "estado": "INICIADA",
    }


async def test_an_answer_may_be_a_function_of_receipt_and_events() -> None:
    path = CommandPath(
        "/x", ReceiveData, lambda command, receipt, events: {"p": command.partner_id, "n": len(events), "id": receipt.key}
    )

    assert await answer_of(path, COMMAND, RECEIPT, [], GATEWAY) == {"p": "p", "n": 0, "id": "a-b"}


async def test_an_answer_may_look_at_the_state_after_the_command() -> None:
    async def answer(command: ReceiveData, receipt: Receipt, gateway: CommandGateway) -> Mapping[str, Any]:
        return {"p": command.partner_id, "id": receipt.key, "looked at": gateway}

    found = await answer_of(CommandPath("/x", ReceiveData, FromState(answer)), COMMAND, RECEIPT, [], GATEWAY)

    assert found == {"p": "p", "id": "a-b", "looked at": GATEWAY}


def test_the_address_of_an_outcome_has_the_streams_key_and_the_commands_id() -> None:
    accepted = AcceptedCommand(UUID(int=1), "a/b ñ", is_repeat=False)
    path = AcceptedCommandPath("/x", ReceiveData, location="/query/{key}/{command_id}")

    assert location_of(path, accepted) == f"/query/a%2Fb%20%C3%B1/{UUID(int=1)}"
    assert location_of(AcceptedCommandPath("/x", ReceiveData), accepted) is None


@pytest.mark.parametrize("location", ["/query/{position}", "/query/{}", "/query/{partner_id}"])
def test_an_address_of_what_is_not_known_before_the_decision_is_rejected(location: str) -> None:
    with pytest.raises(Misconfigured, match=r"the location of /x names .*: it may have {key} and {command_id}"):
        AcceptedCommandPath("/x", ReceiveData, location=location)


@pytest.mark.parametrize("part", [RECORDED_AT, ReceiptField.VERSION])
def test_an_answer_with_what_is_not_known_before_the_decision_is_rejected(part: ReceiptField) -> None:
    with pytest.raises(Misconfigured, match=f"the answer of /x has the {part.value}, which is not known before the decision"):
        AcceptedCommandPath("/x", ReceiveData, {"id": KEY, "value": part})


def test_a_receipt_is_answered_with_its_key_as_id() -> None:
    assert receipt_as_json(RECEIPT) == {
        "id": "a-b",
        "command_id": str(UUID(int=1)),
        "stream": "delivery-a-b",
        "version": 2,
        "position": 7,
        "events": ["DataReceived"],
    }


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ({"a": "/x", "b": "/x"}, "POST /x of b is a path of a too: change one"),
        ({"a": "/x", "accepting": "/x"}, "POST /x of accepting is a path of a too: change one"),
        ({"a": "/commands/x"}, "the path /commands/x of a: the engine has /commands itself"),
        ({"a": "x"}, "the path x of a: it must begin with a slash"),
    ],
)
def test_paths_that_collide_are_rejected(monkeypatch: pytest.MonkeyPatch, paths: dict[str, str], why: str) -> None:
    kinds = {"accepting": AcceptedCommandPath}
    declared = {system: (kinds.get(system, CommandPath)(path, ReceiveData, {}),) for system, path in paths.items()}
    monkeypatch.setattr("command_api.http.paths.declared_rows", lambda *_: declared)

    with pytest.raises(Misconfigured, match=why):
        installed(Catalog())
