"""Dead letters as text and as JSON."""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from rich.console import Console
from rich.markup import escape

from deploy.console.printing import ago, counted, lines, printable
from deploy.operations.dead_letters.selection import Filter, selected
from deploy.operations.subscriptions.installed import subscriptions
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter

_STYLES = {"parked": "red", "retrying": "yellow", "waiting": "yellow"}


async def list_dead_letters(chosen: Filter, settings: Settings, *, as_json: bool) -> None:
    """Prints the dead letters that match, and how many there are in each state."""
    async with subscriptions(settings) as every:
        dead_letters = [dead_letter for _, dead_letter in await selected(every, chosen)]
    if as_json:
        sys.stdout.write(orjson.dumps([as_content(dead_letter) for dead_letter in dead_letters]).decode() + "\n")
    else:
        print_dead_letters(dead_letters, lines(), datetime.now(UTC))


def print_dead_letters(dead_letters: Sequence[DeadLetter], out: Console, now: datetime) -> None:
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


async def show_dead_letter(name: str, settings: Settings) -> None:
    """Prints one as JSON: the record as it came, the error and the state."""
    async with subscriptions(settings) as every:
        ((_, dead_letter),) = await selected(every, Filter(names=(name,), resolved=True))
    Console(highlight=False).print_json(orjson.dumps(as_content(dead_letter)).decode())


def as_content(dead_letter: DeadLetter) -> dict[str, object]:
    """Returns the content of a dead letter in ``--json``."""
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
        "traceback": None if dead_letter.traceback is None else dead_letter.traceback.splitlines(),
        "attempts": dead_letter.attempts,
        "parked_at": dead_letter.parked_at,
        "due_at": dead_letter.due_at if dead_letter.state == "retrying" else None,
        "key": text_of(dead_letter.key),
        "headers": {name: text_of(value) for name, value in dead_letter.headers},
        "value": text_of(dead_letter.value),
        "edited": dead_letter.edited,
    }


def text_of(value: bytes | None) -> str | None:
    """Returns bytes as text, with escapes for those that are none."""
    return None if value is None else value.decode(errors="backslashreplace")
