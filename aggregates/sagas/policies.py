"""The policies that run sagas: events become inputs, sent commands go out, and their outcomes become inputs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from aggregates.policy import Policy
from aggregates.sagas.definition import Reaction, SagaDefinition
from schemas.engine.sagas import AdvanceSaga, CommandOutcome, SagaAdvanced, SagaInput, SentCommand
from schemas.envelope import RecordedEvent, Rejection
from schemas.errors import Misconfigured
from schemas.message import Command

CommandsOf = Mapping[str, Mapping[str, type[Command]]]
"""By system: the classes of its commands, by name."""


def listening(definition: SagaDefinition[Any]) -> Policy:
    """Returns the policy that gives the sagas of one definition their events."""
    reactions = {event: _input_of(definition.full_name, reaction) for event, reaction in definition.reactions.items()}
    return Policy(definition.name, reactions, system=definition.system)


def sending(commands: CommandsOf) -> Policy:
    """Returns the policy that sends sagas' commands, each of the saga's own system, and gives the sagas their outcomes."""

    def send(recorded: RecordedEvent[SagaAdvanced]) -> Iterable[Command]:
        for sent in recorded.data.sent:
            yield _command(commands, recorded.data.saga, sent)

    def acknowledge(recorded: RecordedEvent[SagaAdvanced], ordinal: int, id: UUID, rejection: Rejection | None) -> Command:
        step, sent = recorded.data, recorded.data.sent[ordinal]
        outcome = CommandOutcome(number=sent.number)
        if rejection is not None:
            outcome = CommandOutcome(number=sent.number, rejection=rejection.detail, kind=rejection.kind)
        # The time at which the command was sent: a repeat must be the same command.
        input = SagaInput(kind="outcome", id=id, name=sent.command, at=recorded.recorded_at)
        return AdvanceSaga(saga=step.saga, key=step.key, input=input, outcome=outcome)

    return Policy("sending", {SagaAdvanced: send}, on_outcome=acknowledge)


def _input_of(saga: str, reaction: Reaction[Any]) -> Callable[[RecordedEvent[Any]], Iterable[Command]]:
    def advance(recorded: RecordedEvent[Any]) -> Iterable[Command]:
        event = recorded.data
        key = reaction.key_of(event)
        if key is not None:
            input = SagaInput(
                kind="event",
                id=recorded.id,
                name=event.message_name,
                at=recorded.recorded_at,
                stream=recorded.stream,
                caused_by=recorded.metadata.causation_id,
                data=event.model_dump(mode="json"),
            )
            yield AdvanceSaga(saga=saga, key=key, input=input)

    return advance


def _command(commands: CommandsOf, saga: str, sent: SentCommand) -> Command:
    system = saga.partition(".")[0]
    try:
        return commands[system][sent.command].model_validate(sent.data)
    except KeyError:
        raise Misconfigured(f"the saga {saga} sends {sent.command}, which is no command of {system}") from None
