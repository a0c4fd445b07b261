"""The policies that run sagas: events, commands and outcomes go in and out."""

from uuid import UUID

import pytest

from aggregates.sagas.definition import Reaction, SagaDefinition, Transition
from aggregates.sagas.policies import listening, sending
from aggregates.scenario import FIRST_ID, MIDNIGHT, reaction_of, recorded
from aggregates.state import State
from schemas.engine.sagas import AdvanceSaga, CommandOutcome, SagaAdvanced, SagaInput, SentCommand
from schemas.envelope import Rejection
from schemas.errors import Misconfigured
from schemas.message import Command, Event


class Asked(Event):
    question: str | None


class Answer(Command):
    text: str


class Question(State):
    pass


ASKING = SagaDefinition(
    "asking", Question, {Asked: Reaction("question", lambda state, event, input: Transition(state), starts=True)}
)
STEP = SagaAdvanced(
    saga="forum.asking",
    key="q",
    input=SagaInput(kind="event", id=FIRST_ID, name="Asked", at=MIDNIGHT),
    step_status="handled",
    status="running",
    sent=(SentCommand(command="answer", data={"text": "yes"}, number=7),),
)


def test_an_event_becomes_an_input_of_its_saga_and_of_none_without_a_key() -> None:
    policy = listening(ASKING.of("forum"))
    (command,) = reaction_of(policy, Asked(question="q"))

    assert isinstance(command, AdvanceSaga)
    assert (command.saga, command.key, command.outcome) == ("forum.asking", "q", None)
    assert (command.input.kind, command.input.id, command.input.name) == ("event", FIRST_ID, "Asked")
    assert (command.input.at, command.input.stream, command.input.data) == (MIDNIGHT, "scenario-1", {"question": "q"})
    assert reaction_of(policy, Asked(question=None)) == ()


def test_a_sagas_commands_are_those_of_its_system() -> None:
    assert reaction_of(sending({"forum": {"answer": Answer}}), STEP) == (Answer(text="yes"),)
    with pytest.raises(Misconfigured, match=r"the saga forum\.asking sends answer, which is no command of forum"):
        reaction_of(sending({"shop": {"answer": Answer}}), STEP)


@pytest.mark.parametrize(
    ("rejection", "outcome"),
    [
        (None, CommandOutcome(number=7)),
        (Rejection("rejected", "no", "c"), CommandOutcome(number=7, rejection="no", kind="rejected")),
    ],
)
def test_an_outcome_becomes_an_input_of_the_saga(rejection: Rejection | None, outcome: CommandOutcome) -> None:
    id, policy = UUID(int=5), sending({"forum": {"answer": Answer}})
    after = policy.after(recorded(STEP), 0, id, rejection)

    assert after is not None
    input = SagaInput(kind="outcome", id=id, name="answer", at=MIDNIGHT)
    assert after[1] == AdvanceSaga(saga="forum.asking", key="q", input=input, outcome=outcome)
    assert policy.after(recorded(STEP), 0, id, rejection) == after
