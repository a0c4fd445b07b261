"""What carries processes along: events are told to them, what they send becomes commands, and the answers are told to them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from aggregates.policy import Policy
from aggregates.sagas.definition import On, ProcessManager
from schemas.engine.processes import AdvanceProcess, Answer, Cause, ProcessAdvanced, Sent
from schemas.envelope import Recorded, Refusal
from schemas.errors import Misconfigured
from schemas.message import Command


def listening(system: str, manager: ProcessManager[Any]) -> Policy:
    """The policy that tells a system's processes of one kind what happens."""
    name = f"{system}.{manager.name}"
    return Policy(manager.name, {event: _telling(name, on) for event, on in manager.on.items()})


def sending(managers: Mapping[str, ProcessManager[Any]]) -> Policy:
    """The policy that sends what processes ask for, and tells them how each command was answered."""
    classes = {(name, command.message_name): command for name, manager in managers.items() for command in manager.sends}

    def send(recorded: Recorded[ProcessAdvanced]) -> Iterable[Command]:
        for sent in recorded.event.sent:
            yield _command(classes, recorded.event.process, sent)

    def tell(recorded: Recorded[ProcessAdvanced], ordinal: int, id: UUID, refusal: Refusal | None) -> Command:
        step, sent = recorded.event, recorded.event.sent[ordinal]
        answer = Answer(number=sent.number)
        if refusal is not None:
            answer = Answer(number=sent.number, refusal=refusal.detail, kind=refusal.kind)
        # The time at which it was sent: each repetition of this must be the same.
        cause = Cause(kind="answer", id=id, name=sent.command, at=recorded.recorded_at)
        return AdvanceProcess(process=step.process, key=step.key, cause=cause, answer=answer)

    return Policy("sending", {ProcessAdvanced: send}, follow_up=tell)


def _telling(process: str, on: On[Any]) -> Callable[[Recorded[Any]], Iterable[Command]]:
    def tell(recorded: Recorded[Any]) -> Iterable[Command]:
        event = recorded.event
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
            yield AdvanceProcess(process=process, key=key, cause=cause)

    return tell


def _command(classes: Mapping[tuple[str, str], type[Command]], process: str, sent: Sent) -> Command:
    try:
        return classes[process, sent.command].model_validate(sent.data)
    except KeyError:
        raise Misconfigured(f"the process manager {process} does not declare that it sends {sent.command}") from None
