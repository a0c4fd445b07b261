"""``caudal try``: runs a system without a database, a broker or a port: one file, or an installed package."""

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from command_api.handling.validation import parse_json
from deploy.authoring.check import problem_of
from deploy.authoring.memory_system import Happened, MemorySystem
from deploy.authoring.reading import read_system
from deploy.console.printing import lines
from schemas.engine.sagas import SagaAdvanced
from schemas.envelope import RecordedEvent
from schemas.errors import Invalid, Malformed
from schemas.message import Command, Event
from schemas.system import ENGINE

_PROMPT = "> "
_MAX_DEPTH = 64
LAST, WAIT = "$last", "$wait"
_HELP, _EXIT = ("help", "?"), ("exit", "quit")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


async def try_system(place: str, commands: Path | None) -> int:
    """Sends commands from a file, or as they are typed, and prints events and rows as they come; 1 if one was rejected.

    ``place`` is a Python file or the name of an installed system; raises `Misconfigured` for anything else.
    """
    system, out = read_system(place), lines()
    given = _typed(system, out) if commands is None else commands.read_text().splitlines()  # noqa: ASYNC240
    return 0 if await send_all(system, given, out, echo=commands is not None) else 1


async def send_all(system: MemorySystem, given: Iterable[str], out: Console, *, echo: bool) -> bool:
    """Sends each line as a command; returns whether all were accepted.

    ``$last`` in a line is the key of the last stream; a line ``$wait 7d`` moves the clock of timers. ``help`` prints the
    commands, and ``exit`` ends, unless the system has commands of these names.
    """
    are_accepted, last, known = True, "", _commands(system)
    for line in given:
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if word in _EXIT and word not in known:
            break
        if word in _HELP and word not in known:
            out.print("\n".join(_help(system)), markup=False)
            continue
        if echo:
            out.print(f"{_PROMPT}{line}", style="bold", markup=False)
        try:
            happened = await _do(system, line.replace(LAST, last))
        except Exception as error:  # the system's own code may raise anything
            out.print(f"  {problem_of(error)}", style="red", markup=False)
            are_accepted = False
            continue
        for one in happened:
            out.print(f"  {_shown(one)}")
            are_accepted = are_accepted and one.rejected is None and not _has_failed(one)
        last = next((one.event.stream.partition("-")[2] for one in happened if one.event and not _is_step(one.event)), last)
    return are_accepted


async def _do(system: MemorySystem, line: str) -> list[Happened]:
    word, _, rest = line.strip().partition(" ")
    return await (system.wait(read_time(rest)) if word == WAIT else system.send(read_command(system, line)))


def read_time(text: str) -> timedelta:
    """Reads ``90s``, ``15m``, ``2h`` or ``7d``; raises `Malformed`."""
    found = re.fullmatch(r"\s*(\d{1,6})([smhd])\s*", text)
    if found is None:
        raise Malformed(f"write {WAIT} with a time, such as {WAIT} 90s, {WAIT} 15m, {WAIT} 2h or {WAIT} 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def read_command(system: MemorySystem, line: str) -> Command:
    """Reads ``add-task title="Buy milk"`` or ``add-task {"title": "Buy milk"}``; raises `Malformed` with what it takes."""
    name, _, rest = line.strip().partition(" ")
    known = _commands(system)
    if name not in known:
        raise Malformed(f"there is no command {name!r}; there are {', '.join(sorted(known))}")
    command = known[name]
    try:
        return command.model_validate(_fields(rest))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Malformed(f"{name} takes {', '.join(command.model_fields) or 'no fields'} ({faults})") from error


def _commands(system: MemorySystem) -> Mapping[str, type[Command]]:
    return {command.message_name: command for context, command in system.catalog.commands() if context.system != ENGINE}


def _help(system: MemorySystem) -> Iterator[str]:
    yield "Type one of these commands. $last is the id of the last one, $wait 7d fires timers, help shows this, exit ends:"
    yield ""
    for name, command in _commands(system).items():
        yield f"  {' '.join([name, *(f'{field}=…' for field in command.model_fields)])}"
    yield ""


def _fields(text: str) -> dict[str, Any]:
    text = text.strip()
    try:
        if text.startswith("{"):
            content: dict[str, Any] = parse_json(text.encode(), _MAX_DEPTH)
            return content
        pairs = [word.partition("=") for word in shlex.split(text)]
    except Invalid as error:
        raise Malformed(f"the fields cannot be read: {error.reasons}") from error
    except ValueError as error:
        raise Malformed(f"the fields cannot be read: {error}") from error
    if invalid := [name for name, equals, _ in pairs if not equals]:
        raise Malformed(f"write fields as name=value, not {invalid[0]!r}")
    return {name: _value(name, value) for name, _, value in pairs}


def _value(name: str, text: str) -> Any:
    """Returns a JSON value, or the text itself if it is none; raises `Malformed` for a value that cannot be stored."""
    try:
        return parse_json(text.encode(), _MAX_DEPTH)
    except Malformed:
        return text
    except Invalid as error:
        raise Malformed(f"{name} {error.reasons}") from error


def _typed(system: MemorySystem, out: Console) -> Iterator[str]:
    """Lines of standard input; a person gets a prompt and the commands that there are."""
    if not sys.stdin.isatty():
        yield from sys.stdin
        return
    out.print("\n".join(_help(system)), markup=False)
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            return


def _shown(happened: Happened) -> str:
    if happened.rejected is not None:
        name, rejection = happened.rejected
        return f"[red]{escape(name)} rejected: {escape(rejection.detail)}[/]"
    if happened.event is not None:
        event = happened.event
        if isinstance(event.data, SagaAdvanced):
            return _step_shown(event.data)
        data = escape(event.data.model_dump_json())
        return f"[green]{escape(event.data.message_name)}[/] {escape(event.stream)} {event.version}  {data}"
    if happened.row is not None:
        row = happened.row
        return f"[cyan]{escape(row.view_name)}[/]  {escape(row.model_dump_json())}"
    assert happened.deleted is not None, "one of the four is set"
    view, key = happened.deleted
    return f"[cyan]{escape(view)}[/]  {escape(str(key))} is deleted"


def _has_failed(happened: Happened) -> bool:
    """Returns whether this is a step in which the code of a saga failed."""
    event = happened.event
    return event is not None and isinstance(event.data, SagaAdvanced) and event.data.step_status == "failed"


def _is_step(event: RecordedEvent[Event]) -> bool:
    return isinstance(event.data, SagaAdvanced)


def _step_shown(step: SagaAdvanced) -> str:
    """Returns one step of a saga: its input, its status, and the timers that it sets."""
    timers = "".join(f", timer {name} at {due:%Y-%m-%d %H:%M:%SZ}" for name, due in step.timers_set.items())
    problem = "" if step.problem is None else f": {step.problem}"
    what = f"{step.input.kind} {escape(step.input.name)}: {step.status}"
    style = "red" if step.step_status == "failed" else "magenta"
    return f"[{style}]saga {escape(step.saga)}[/] {what}{timers}{escape(problem)}"
