"""``caudal load``: sends every line of a file as a command. A second run adds nothing, so a run that broke off is repeated.

The idempotency key of a command is a digest of its content, and a number if the file has equal lines; its line number is not
part of it.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.console.endpoints import running_stack
from deploy.operations.load.lines import Line, read_lines
from schemas.catalog import Catalog
from schemas.errors import CaudalError, Forbidden, Malformed, NotFound, Unavailable
from streams.discovery import installed_catalog

GIVE_UP_SECONDS = 120.0
_MAX_PROBLEMS = 50
_MAX_BYTES = 4 * 1024 * 1024
_TEMPORARY = (409, 429, 503)
"""Statuses of a command that may succeed at the next attempt."""
_RETRIED = (429, 500, 502, 503, 504)
"""Statuses of a batch that may succeed at the next attempt."""
_FIRST_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Command:
    """A line with the JSON that a batch holds of it."""

    line: Line
    content: bytes


@dataclass(slots=True)
class Outcome:
    """Results of the lines so far."""

    accepted: int = 0
    known: int = 0
    """Commands that were accepted before."""
    failed: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def failed_line(self, number: int, why: str) -> None:
        """Counts a line as failed."""
        self.failed += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append((number, f"line {number}: {why}"))

    @property
    def done(self) -> int:
        """Lines that are accepted, now or before."""
        return self.accepted + self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The way from a line to a command."""

    fixed: Mapping[str, Any]
    """Fields that every command gets."""
    into: str | None
    """The field that takes the line; ``None`` if the line is the command."""
    numbers: frozenset[str]
    """CSV columns that hold numbers."""


async def load_file(file: Path, target: str, shape: Shape, *, batch: int, connections: int, token: str | None = None) -> int:
    """Sends the lines to ``target``, the command's URL, and returns the exit code: 0 if every line was accepted.

    ``connections`` batches are in flight at once. Raises `Unavailable` if the API cannot be reached for two minutes,
    `Forbidden` if it wants another token, and `Malformed` if the file cannot be read.
    """
    outcome, size = Outcome(), file.stat().st_size  # noqa: ASYNC240 - nothing else runs yet
    console = Console(stderr=True, highlight=False)
    with _progress(console) as progress:
        task = progress.add_task(file.name, total=size)
        commands = _commands(read_lines(file, shape.numbers), target, shape, outcome)
        timeout = aiohttp.ClientTimeout(total=60)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connector = aiohttp.TCPConnector(limit=connections)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:

            def say(what: str) -> None:
                progress.console.print(what, style="yellow", markup=False, soft_wrap=True)

            async def send_some() -> None:
                # All senders take the next lines from one iterator, which returns each line once.
                while some := _some(commands, batch):
                    await _send(session, target, some, outcome, say)
                    progress.update(task, completed=some[-1].line.read, commands=outcome.done)

            try:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(connections):
                        senders.create_task(send_some())
            except ExceptionGroup as group:
                # One error is reported, also if several senders failed.
                if (known := group.subgroup(CaudalError)) is None:
                    raise
                raise known.exceptions[0] from group
        progress.update(task, completed=size, commands=outcome.done)
    _report(console, outcome)
    return 1 if outcome.failed else 0


def command_url(system: str, command: str, url: str | None, data_dir: Path) -> str:
    """Returns the command's URL at the API ``url``, or at that of the stack that runs from the data folder.

    Raises `NotFound` without a stack, and for a system or a command that the stack does not have.
    """
    if url is None:
        stack = running_stack(data_dir)
        if stack is None:
            raise NotFound(f"no stack runs from {data_dir}: start one with `caudal up`, or name the command API with --url")
        _check_command(installed_catalog(stack.systems), system, command)
        url = stack.command_api
    if not url.startswith(("http://", "https://")):
        raise Malformed(f"--url must be the command API's, such as http://127.0.0.1:5001, not {url!r}")
    return f"{url.rstrip('/')}/commands/{system}/{command}"


def _check_command(catalog: Catalog, system: str, command: str) -> None:
    if system not in catalog.systems:
        raise NotFound(f"there is no system {system!r}; there are {', '.join(sorted(catalog.systems))}")
    known = sorted(one.message_name for name, one in catalog.commands() if name.system == system and not one.internal)
    if command not in known:
        raise NotFound(f"there is no command {command!r} in {system!r}; there are {', '.join(known)}")


def _commands(lines: Iterator[Line], target: str, shape: Shape, outcome: Outcome) -> Iterator[_Command]:
    seen: Counter[bytes] = Counter()
    name = target.partition("/commands/")[2].encode()
    for line in lines:
        if line.content is None:
            outcome.failed_line(line.number, line.problem or "unreadable")
            continue
        command = {**shape.fixed, **(line.content if shape.into is None else {shape.into: line.content})}
        try:
            canonical = orjson.dumps(command, option=orjson.OPT_SORT_KEYS)
        except TypeError as error:
            outcome.failed_line(line.number, f"cannot be stored: {error}")
            continue
        digest = hashlib.sha256(name + b"\n" + canonical).digest()
        seen[digest] += 1
        key = f"load-{digest.hex()[:40]}-{seen[digest]}"
        yield _Command(line, orjson.dumps({"command": command, "idempotency_key": key}))


def _some(commands: Iterator[_Command], batch: int) -> list[_Command]:
    some: list[_Command] = []
    size = 0
    for command in islice(commands, batch):
        some.append(command)
        size += len(command.content)
        if size > _MAX_BYTES:
            break
    return some


async def _send(
    session: aiohttp.ClientSession, target: str, commands: list[_Command], outcome: Outcome, say: Callable[[str], None]
) -> None:
    """Sends commands until each has a final result; raises `Unavailable` if that takes too long."""
    clock = asyncio.get_running_loop()
    give_up, pause = clock.time() + GIVE_UP_SECONDS, _FIRST_PAUSE_SECONDS
    while commands:
        try:
            status, answers = await _post(session, target, commands)
            commands, why = await _sorted_out(session, target, commands, status, answers, outcome, say)
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError, IndexError) as error:
            why = str(error) or type(error).__name__
        if not commands:
            return
        if pause == _FIRST_PAUSE_SECONDS:
            say(f"retrying for {GIVE_UP_SECONDS:g} s at most: {why}")
        if clock.time() > give_up:
            raise Unavailable(f"line {commands[0].line.number} was not accepted for {GIVE_UP_SECONDS:g} s: {why}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2)


async def _post(session: aiohttp.ClientSession, target: str, commands: Sequence[_Command]) -> tuple[int, list[Any]]:
    """Returns the status of a batch and the documents in its answer."""
    body = b"\n".join(command.content for command in commands)
    async with session.post(target, data=body, headers={"Content-Type": "application/x-ndjson"}) as response:
        return response.status, [orjson.loads(line) for line in (await response.read()).splitlines()]


async def _sorted_out(
    session: aiohttp.ClientSession,
    target: str,
    commands: list[_Command],
    status: int,
    answers: list[Any],
    outcome: Outcome,
    say: Callable[[str], None],
) -> tuple[list[_Command], str]:
    """Returns the commands of a batch that are to be sent again, and why; the others have their results."""
    if status == 200:
        return _retryable(commands, answers, outcome)
    detail = _detail(answers[0])
    if status in _RETRIED:
        return commands, detail
    if status == 404:
        raise NotFound(detail)
    if status in (401, 403):
        raise Forbidden(f"{detail}: give a token with --token")
    if len(commands) == 1:
        outcome.failed_line(commands[0].line.number, detail)
    else:  # one command makes the whole batch fail: each is sent alone
        for command in commands:
            await _send(session, target, [command], outcome, say)
    return [], ""


def _retryable(commands: list[_Command], answers: list[Any], outcome: Outcome) -> tuple[list[_Command], str]:
    """Counts the final results; returns the commands that may succeed at the next attempt, and why they failed at this one."""
    again: list[_Command] = []
    why = ""
    for command, answer in zip(commands, answers, strict=True):
        if answer["status"] < 300:
            outcome.known += answer["repeated"]
            outcome.accepted += not answer["repeated"]
        elif answer["status"] in _TEMPORARY and answer["type"] != "urn:caudal:problem:already-exists":
            again.append(command)
            why = _detail(answer)
        else:
            outcome.failed_line(command.line.number, _detail(answer))
    return again, why


def _detail(problem: Any) -> str:
    """Returns a problem as one line. A pointer into a batch's line is shown as one into its command."""
    errors = "; ".join(
        f"{error['pointer'].removeprefix('/command') or '/'} {error['detail']}" for error in problem.get("errors", ())
    )
    return f"{problem['detail']}{f' ({errors})' if errors else ''}"


def _report(console: Console, outcome: Outcome) -> None:
    for _, problem in sorted(outcome.problems):
        console.print(problem, style="red", markup=False, soft_wrap=True)
    if outcome.failed > len(outcome.problems):
        console.print(f"… and {outcome.failed - len(outcome.problems)} more", style="red")
    console.print(f"{outcome.accepted} accepted, {outcome.known} there already, {outcome.failed} failed")


class _Rate(ProgressColumn):
    """Number of commands, and commands a second."""

    def render(self, task: Task) -> Text:
        commands = task.fields.get("commands", 0)
        return Text(f"{commands:,} commands, {commands / max(task.elapsed or 0, 0.001):,.0f}/s")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _Rate(), TimeRemainingColumn(), console=console
    )
