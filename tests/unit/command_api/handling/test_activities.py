"""Activities: one for a command, performed before its decision, and never with an expected version."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from aggregates.state import State
from aggregates.stream import Stream
from command_api.handling.activities import Activities, Activity, ActivityContext, ActivityDependencies, installed
from command_api.handling.request import CommandRequest
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Misconfigured
from schemas.expected_version import ANY_VERSION, NO_STREAM, ExpectedVersion
from schemas.message import Command
from schemas.system import Context, ContextName, System
from streams.bounded_processes import BoundedProcesses
from streams.settings import Settings

S = TypeVar("S", bound=State)
ID, CONTEXT = UUID(int=1), ContextName("post", "outgoing")


class Send(Command):
    to: str


class RecordSent(Command):
    to: str
    by: str


async def send(command: CommandEnvelope[Send], context: ActivityContext) -> RecordSent:
    return RecordSent(to=command.data.to, by=context.settings.mail_from)


async def load(stream: Stream[S], key: str) -> S:
    raise AssertionError("no state is needed")


SEND = Activity(Send, send)


def activities() -> Activities:
    return Activities(ActivityDependencies(Settings(mail_from="here"), None, BoundedProcesses(), {Send: SEND}), load)  # type: ignore[arg-type]


def request(command: Command, expected: ExpectedVersion = ANY_VERSION) -> CommandRequest:
    return CommandRequest(CONTEXT, CommandEnvelope(data=command, id=ID, at=MIDNIGHT, correlation_id="c"), expected)


async def test_the_result_is_decided_in_the_place_of_the_command() -> None:
    performed = await activities().perform(request(Send(to="eva")))

    assert (performed.command.data, performed.command.id) == (RecordSent(to="eva", by="here"), ID)
    assert [activities().concern(command) for command in (Send, RecordSent)] == [True, False]


def test_a_command_is_about_the_stream_that_its_activity_names() -> None:
    mailbox, named = Stream("mailbox"), request(Send(to="eva"))
    about = {Send: Activity(Send, send, about=mailbox.at("to"))}
    dependencies = ActivityDependencies(Settings(), None, BoundedProcesses(), about)  # type: ignore[arg-type]

    assert Activities(dependencies, load).target(named) == ("mailbox-eva", "eva")
    assert activities().target(named) is None
    assert activities().target(request(RecordSent(to="eva", by="here"))) is None


async def test_a_side_effect_has_no_expected_version() -> None:
    with pytest.raises(Invalid, match="not supported for commands with side effects"):
        await activities().perform(request(Send(to="eva"), NO_STREAM))


def test_without_dependencies_there_are_no_activities() -> None:
    assert not Activities(None, load).concern(Send)


def catalog(*, requires_expected_version: bool = False) -> Catalog:
    context = Context("outgoing", commands=(Send, RecordSent), requires_expected_version=requires_expected_version)
    return Catalog.of([System("post", (context,))])


@pytest.mark.parametrize(
    ("declared", "careful", "why"),
    [
        ((SEND, SEND), False, "post declares two activities for Send: remove one"),
        ((SEND,), True, r"Send of post\.outgoing has an activity, and no expected version can be stated"),
    ],
)
def test_activities_that_cannot_work_are_rejected(
    monkeypatch: pytest.MonkeyPatch, declared: Sequence[Activity[Any]], careful: bool, why: str
) -> None:
    monkeypatch.setattr("command_api.handling.activities.declared_rows", lambda *_: {"post": declared})

    with pytest.raises(Misconfigured, match=why):
        installed(catalog(requires_expected_version=careful))


def test_installed_activities_are_found_by_their_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_api.handling.activities.declared_rows", lambda *_: {"post": (SEND,)})

    assert installed(catalog()) == {Send: SEND}
