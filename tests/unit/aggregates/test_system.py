"""Domains of systems: the policies that run their sagas are added, and names that would collide are rejected."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.sagas.definition import Reaction, SagaDefinition, Transition
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain, saga_inputs, streams_of, with_sagas
from schemas.catalog import Catalog
from schemas.engine import SYSTEM as ENGINE_SYSTEM
from schemas.engine.sagas import AdvanceSaga, SagaInput
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import Misconfigured
from schemas.message import Command, Event
from schemas.system import ENGINE, Context, ContextName, System


class Ask(Command):
    question: str


class Asked(Event):
    question: str


class Question(State):
    text: str = ""


def ask(command: CommandEnvelope[Ask]) -> Events:
    yield Asked(question=command.data.question)


def asked(question: Question, event: Asked, input: SagaInput) -> Transition[Question]:
    return Transition(question)


def react(event: RecordedEvent[Any]) -> Iterable[Command]:
    return ()


QUESTION = Stream("question")
ASK = Decision(Ask, QUESTION.create("question"), ask)
ASKING = SagaDefinition("asking", Question, {Asked: Reaction("question", asked, starts=True)})
ANSWERING = Policy("answering", {Asked: react})
CATALOG = Catalog.of([System("forum", (Context("posts", (Ask,), (Asked,)),)), ENGINE_SYSTEM])


def test_each_system_gets_the_policies_of_its_sagas_and_the_engine_its_own() -> None:
    domains = with_sagas({"forum": Domain((ASK,), (ANSWERING,), (ASKING,))}, CATALOG)

    assert [policy.full_name for policy in domains["forum"].policies] == ["forum.answering", "forum.asking"]
    assert [saga.full_name for saga in domains["forum"].sagas] == ["forum.asking"]
    assert AdvanceSaga in {decision.command for decision in domains[ENGINE].decisions}
    assert all(policy.full_name.startswith("engine.") for policy in domains[ENGINE].policies)


def test_streams_are_found_by_their_contexts_and_categories() -> None:
    streams = streams_of({"forum": Domain((ASK,))}, CATALOG)

    assert streams[ContextName("forum", "posts")] == {"question": QUESTION}


@pytest.mark.parametrize(
    ("domain", "why"),
    [
        (Domain((ASK,), (ANSWERING, ANSWERING)), "forum declares two policies or sagas named 'answering': rename one"),
        (Domain((ASK,), (Policy("asking", {Asked: react}),), (ASKING,)), "two policies or sagas named 'asking'"),
        (Domain((ASK,), (), (ASKING, ASKING)), "two policies or sagas named 'asking'"),
        (Domain((ASK, ASK)), "forum declares two decisions on Ask: remove one"),
    ],
)
def test_names_that_collide_are_rejected(domain: Domain, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        with_sagas({"forum": domain}, CATALOG)


def test_the_inputs_of_a_saga_are_its_events_in_their_versions_and_its_timers() -> None:
    timed = replace(ASKING, name="timed", on_timer={"late": lambda question, _: Transition(question)})
    domains = with_sagas({"forum": Domain((ASK,), (), (ASKING, timed))}, CATALOG)

    assert saga_inputs(domains, CATALOG) == {"forum.asking": {"Asked@1"}, "forum.timed": {"Asked@1", "late"}}


def test_two_systems_may_have_a_policy_of_one_name() -> None:
    domains = with_sagas({"forum": Domain((ASK,), (ANSWERING,)), "help": Domain((), (ANSWERING,))}, CATALOG)

    assert [domains[system].policies[0].full_name for system in ("forum", "help")] == ["forum.answering", "help.answering"]


def test_a_missing_comma_is_named() -> None:
    with pytest.raises(Misconfigured, match="the decisions of a Domain must be a tuple; is a comma missing"):
        Domain(ASK)  # type: ignore[arg-type]
