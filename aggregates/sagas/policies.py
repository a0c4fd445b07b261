"""What carries processes along: events are told to them, what they send becomes commands, and the answers are told to them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from aggregates.policy import Policy
from aggregates.sagas.definition import On, SagaDefinition
from schemas.engine.sagas import AdvanceSaga, Answer, Cause, SagaAdvanced, Sent
from schemas.envelope import RecordedEvent, Rejection
from schemas.errors import Misconfigured
from schemas.message import Command


def listening(system: str, manager: SagaDefinition[Any]) -> Policy:
    """The policy that tells a system's processes of one kind what happens."""
    name = f"{system}.{manager.name}"
    return Policy(manager.name, {event: _telling(name, on) for event, on in manager.on.items()})


def sending(managers: Mapping[str, SagaDefinition[Any]]) -> Policy:
    """The policy that sends what processes ask for, and tells them how each command was answered."""
    classes = {(name, command.message_name): command for name, manager in managers.items() for command in manager.sends}

    def send(recorded: RecordedEvent[SagaAdvanced]) -> Iterable[Command]:
        for sent in recorded.data.sent:
            yield _command(classes, recorded.data.process, sent)

    def tell(recorded: RecordedEvent[SagaAdvanced], ordinal: int, id: UUID, rejection: Rejection | None) -> Command:
        step, sent = recorded.data, recorded.data.sent[ordinal]
        answer = Answer(number=sent.number)
        if rejection is not None:
            answer = Answer(number=sent.number, rejection=rejection.detail, kind=rejection.kind)
        # The time at which it was sent: each repetition of this must be the same.
        cause = Cause(kind="answer", id=id, name=sent.command, at=recorded.recorded_at)
        return AdvanceSaga(process=step.process, key=step.key, cause=cause, answer=answer)

    return Policy("sending", {SagaAdvanced: send}, on_outcome=tell)


def _telling(process: str, on: On[Any]) -> Callable[[RecordedEvent[Any]], Iterable[Command]]:
    def tell(recorded: RecordedEvent[Any]) -> Iterable[Command]:
        event = recorded.data
        key = on.key(event)
        if key is not None:
            cause = Cause(
                kind="event",
                id=recorded.id,
                name=event.message_name,
                at=recorded.recorded_at,
                stream=recorded.stream,
                caused_by=recorded.metadata.causation_id,
                data=event.model_dump(mode="json"),
            )
            yield AdvanceSaga(process=process, key=key, cause=cause)

    return tell


def _command(classes: Mapping[tuple[str, str], type[Command]], process: str, sent: Sent) -> Command:
    try:
        return classes[process, sent.command].model_validate(sent.data)
    except KeyError:
        raise Misconfigured(f"the process manager {process} does not declare that it sends {sent.command}") from None
