"""Dead letters: the list of them, and one as a whole."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field, TypeAdapter
from rich.console import Console
from rich.markup import escape

from deploy.console.printing import ago, counted, printable
from deploy.operations.installation import OpenInstallation
from deploy.operations.installed_subscriptions import InstalledSubscription, named
from deploy.operations.reading import BODIES, Listing, Reading, listed
from deploy.operations.run import Parameters
from schemas.errors import NotFound
from streams.subscriptions.dead_letters import DeadLetter, State

_STYLES = {"parked": "red", "retrying": "yellow", "waiting": "yellow"}


class ListFilter(Parameters):
    """The dead letters to list; every part that is set must match."""

    subscription: str | None = Field(default=None, description="Its name: `system.name`.")
    stream: str | None = None
    resolved: bool = Field(default=False, description="Also those that were skipped, or applied after an edit.")


class OneName(Parameters):
    """One dead letter."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDeadLetter:
    """A dead letter without its body."""

    name: str
    subscription: str
    context: str
    origin: str
    position: int | None
    stream: str | None
    type: str | None
    state: State
    error: str | None
    """``None`` if it waits behind another of its stream."""
    attempts: int
    parked_at: datetime
    due_at: datetime | None
    """When it is tried again; ``None`` unless its state is ``retrying``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeDeadLetter(ListedDeadLetter):
    """A dead letter with its record as it came; bytes that are not text are written as escapes."""

    traceback: Sequence[str] | None
    key: str | None
    headers: Mapping[str, str | None]
    value: str | None
    edited: str | None
    """JSON instead of the event's data."""


async def list_dead_letters(installation: OpenInstallation, chosen: ListFilter) -> Listing[ListedDeadLetter]:
    """Lists dead letters; the first of each stream comes before those that wait behind it."""
    every = installation.subscriptions
    wanted = every if chosen.subscription is None else [named(every, chosen.subscription)]

    async def of(one: InstalledSubscription) -> list[ListedDeadLetter]:
        return [
            ListedDeadLetter(**_listed(dead_letter))
            for store in one.stores
            for dead_letter in await store.dead_letters.all(with_resolved=chosen.resolved)
            if chosen.stream in (None, dead_letter.stream)
        ]

    return await listed(map(of, wanted))


async def show_dead_letter(installation: OpenInstallation, wanted: OneName) -> WholeDeadLetter:
    """Shows one dead letter: the record as it came, the error with its traceback, and the state."""
    for one in installation.subscriptions:
        if wanted.name.startswith(f"{one.name}/"):
            for store in one.stores:
                for dead_letter in await store.dead_letters.all(with_resolved=True):
                    if dead_letter.name == wanted.name:
                        return whole(dead_letter)
    raise NotFound(f"there is no dead letter {wanted.name}; `caudal dead-letters list` shows them")


def whole(dead_letter: DeadLetter) -> WholeDeadLetter:
    """Returns a dead letter with its body as text."""
    return WholeDeadLetter(
        **_listed(dead_letter),
        traceback=None if dead_letter.traceback is None else dead_letter.traceback.splitlines(),
        key=text_of(dead_letter.key),
        headers={name: text_of(value) for name, value in dead_letter.headers},
        value=text_of(dead_letter.value),
        edited=dead_letter.edited,
    )


def print_dead_letters(dead_letters: Sequence[ListedDeadLetter], out: Console, now: datetime) -> None:
    """Prints each with its error, then the counts."""
    for dead_letter in dead_letters:
        what = f"{dead_letter.type} of {dead_letter.stream}" if dead_letter.stream else "a record that is not an event"
        out.print(f"[bold]{escape(dead_letter.name)}[/]")  # alone in its line, to be copied
        state = f"[{_STYLES.get(dead_letter.state, 'none')}]{dead_letter.state}[/]"
        attempts = f", {counted(dead_letter.attempts, 'attempt')}" if dead_letter.attempts else ""
        out.print(f"  {escape(what)}: {state}, {ago(dead_letter.parked_at, now)}{attempts}")
        out.print(f"  {printable((dead_letter.error or 'waits behind another of its stream')[:300])}", markup=False)
    states = sorted(Counter(dead_letter.state for dead_letter in dead_letters).items())
    summary = ", ".join(f"{count} {state}" for state, count in states)
    out.print(f"{counted(len(dead_letters), 'dead letter')}{f': {summary}' if states else ''}")
    out.print("[dim]Records on topics that are no commands: caudal dead-letters records[/]")


def text_of(value: bytes | None) -> str | None:
    """Returns bytes as text, with escapes for those that are none."""
    return None if value is None else value.decode(errors="backslashreplace")


def _listed(dead_letter: DeadLetter) -> dict[str, Any]:
    return {
        "name": dead_letter.name,
        "subscription": dead_letter.subscription,
        "context": str(dead_letter.context),
        "origin": dead_letter.origin,
        "position": dead_letter.position,
        "stream": dead_letter.stream,
        "type": dead_letter.type,
        "state": dead_letter.state,
        "error": dead_letter.error,
        "attempts": dead_letter.attempts,
        "parked_at": dead_letter.parked_at,
        "due_at": dead_letter.due_at if dead_letter.state == "retrying" else None,
    }


LIST = Reading("dead-letters/list", ListFilter, list_dead_letters, TypeAdapter(Listing[ListedDeadLetter]))
SHOW = Reading("dead-letters/show", OneName, show_dead_letter, TypeAdapter(WholeDeadLetter), access=BODIES)
