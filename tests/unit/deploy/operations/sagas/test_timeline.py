"""The steps of a saga: rejections and compensation are shown as such."""

import io
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console

from deploy.operations.sagas.timeline import step_table, steps_of
from schemas.engine.sagas import CommandData, CommandOutcome, SagaAdvanced, SagaInput, SentCommand
from schemas.envelope import Metadata, RecordedEvent

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def step(
    kind: str, name: str, *, outcome: CommandOutcome | None = None, sent: tuple[SentCommand, ...] = (), **fields: object
) -> SagaAdvanced:
    input = SagaInput.model_validate({"kind": kind, "id": UUID(int=1), "name": name, "at": NOW})
    values = {"saga": "bank.transfer", "key": "1", "step_status": "handled", "status": "running"}
    return SagaAdvanced.model_validate({**values, "input": input, "outcome": outcome, "sent": sent, **fields})


def test_a_rejection_and_its_compensation_are_named() -> None:
    withdraw = SentCommand(command="withdraw", data={}, number=1, compensation=CommandData(command="deposit", data={}))
    deposit, back = (
        SentCommand(command="deposit", data={}, number=2),
        SentCommand(command="deposit", data={}, number=3, compensates=1),
    )
    steps = steps_of(
        [
            recorded(step("event", "TransferRequested", sent=(withdraw,))),
            recorded(step("outcome", "withdraw", outcome=CommandOutcome(number=1), sent=(deposit,))),
            recorded(
                step(
                    "outcome",
                    "deposit",
                    outcome=CommandOutcome(number=2, rejection="closed"),
                    sent=(back,),
                    status="compensating",
                )
            ),
            recorded(step("event", "Unknown", step_status="received", deferred=True, problem="a slip")),
        ],
        may_wait=False,
    )

    assert [(one.outcome, one.problem, list(one.sent)) for one in steps] == [
        ("handled", None, ["withdraw"]),
        ("accepted", None, ["deposit"]),
        ("rejected", "closed", ["deposit, compensates withdraw"]),
        ("deferred", "a slip", []),
    ]
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(step_table(steps))
    shown = [line.split() for line in out.getvalue().splitlines()[1:]]
    assert shown[2] == ["01-01", "00:00:00Z", "withdraw", "accepted", "deposit"]
    assert shown[3] == ["01-01", "00:00:00Z", "deposit", "rejected", "closed"]
    assert shown[4] == ["compensating", "deposit,", "compensates", "withdraw"]
    assert [one.status for one in steps] == ["running", "running", "compensating", "running"]


def test_a_saga_that_may_wait_is_waiting_while_no_command_is_in_flight() -> None:
    send = SentCommand(command="end-contract", data={}, number=1)
    steps = [
        recorded(step("event", "ContractCreated")),
        recorded(step("timer", "end", sent=(send,))),
        recorded(step("outcome", "end-contract", outcome=CommandOutcome(number=1))),
    ]

    assert [one.status for one in steps_of(steps, may_wait=True)] == ["waiting", "running", "waiting"]
    assert [one.status for one in steps_of(steps, may_wait=False)] == ["running"] * 3


def recorded(data: SagaAdvanced) -> RecordedEvent[SagaAdvanced]:
    return RecordedEvent(
        data=data,
        id=UUID(int=2),
        stream="saga-1",
        version=1,
        position=1,
        recorded_at=NOW,
        metadata=Metadata(command_id=UUID(int=3), correlation_id="c"),
    )
