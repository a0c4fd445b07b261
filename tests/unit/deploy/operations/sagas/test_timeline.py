"""The steps of a saga: rejections and compensation are shown as such."""

from datetime import UTC, datetime
from uuid import UUID

from deploy.operations.sagas.timeline import steps_of
from schemas.engine.sagas import Answer, Asked, Cause, SagaAdvanced, Sent
from schemas.envelope import Metadata, RecordedEvent

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def step(kind: str, name: str, *, answer: Answer | None = None, sent: tuple[Sent, ...] = (), **fields: object) -> SagaAdvanced:
    cause = Cause.model_validate({"kind": kind, "id": UUID(int=1), "name": name, "at": NOW})
    values = {"process": "bank.transfer", "key": "1", "standing": "processed", "standing_shown": "", "status": "running"}
    return SagaAdvanced.model_validate({**values, "status_shown": "", "cause": cause, "answer": answer, "sent": sent, **fields})


def test_a_rejection_and_its_compensation_are_named() -> None:
    withdraw = Sent(command="withdraw", data={}, number=1, undo=Asked(command="deposit", data={}))
    deposit, back = Sent(command="deposit", data={}, number=2), Sent(command="deposit", data={}, number=3, undoes=1)
    steps = steps_of(
        [
            recorded(step("event", "TransferRequested", sent=(withdraw,))),
            recorded(step("answer", "withdraw", answer=Answer(number=1), sent=(deposit,))),
            recorded(
                step("answer", "deposit", answer=Answer(number=2, rejection="closed"), sent=(back,), status="compensating")
            ),
            recorded(step("event", "Unknown", standing="received", kept=True, problem="a slip")),
        ]
    )

    assert [(one.outcome, one.problem, list(one.sent)) for one in steps] == [
        ("processed", None, ["withdraw"]),
        ("accepted", None, ["deposit"]),
        ("rejected", "closed", ["deposit, compensates withdraw"]),
        ("deferred", "a slip", []),
    ]
    assert [one.status for one in steps] == ["running", "running", "compensating", "running"]


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
