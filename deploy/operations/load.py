"""``caudal load``: sends every line of a file as a command. A second run adds nothing, so a broken run is just repeated.

Each command's idempotency key is made of its content (and, of equal lines, the ordinal), not of its place in the file.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.local.endpoints import running_stack
from deploy.operations.lines import Line, read_lines
from schemas.errors import CaudalError, Malformed, NotFound, Unavailable

GIVE_UP_SECONDS = 120.0
_MAX_COMPLAINTS = 50
_MAX_BYTES = 4 * 1024 * 1024
_COME_BACK = (409, 429, 503)


@dataclass(frozen=True, slots=True)
class _Order:
    """A line on its way: the JSON of its place in a batch."""

    line: Line
    content: bytes


@dataclass(slots=True)
class Outcome:
    """What became of the lines."""

    accepted: int = 0
    known: int = 0
    """Commands that were handled before."""
    failed: int = 0
    complaints: list[tuple[int, str]] = field(default_factory=list)

    def complain(self, number: int, why: str) -> None:
        self.failed += 1
        if len(self.complaints) < _MAX_COMPLAINTS:
            self.complaints.append((number, f"line {number}: {why}"))

    @property
    def done(self) -> int:
        return self.accepted + self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a line becomes a command."""

    fixed: Mapping[str, Any]
    """Fields that every command gets."""
    into: str | None
    """The field that takes the line; ``None`` where the line is the command."""
    numbers: frozenset[str]
    """CSV columns that hold numbers."""


async def load_file(file: Path, target: str, shape: Shape, *, batch: int, connections: int) -> int:
    """Sends the lines to ``target``, the command's URL, and returns the exit code: 0 if every line was accepted.

    ``connections`` batches are under way at once. Raises `Unavailable` where the API cannot be reached for two minutes,
    `Malformed` where the file cannot be read.
    """
    outcome, size = Outcome(), file.stat().st_size  # noqa: ASYNC240 - nothing else runs yet
    console = Console(stderr=True, highlight=False)
    with _progress(console) as progress:
        task = progress.add_task(file.name, total=size)
        orders = _orders(read_lines(file, shape.numbers), target, shape, outcome)
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections), timeout=timeout) as session:

            def say(what: str) -> None:
                progress.console.print(what, style="yellow", markup=False, soft_wrap=True)

            async def send_some() -> None:
                # Every sender takes the next lines from the one iterator, which hands each line out once.
                while some := _some(orders, batch):
                    await _send(session, target, some, outcome, say)
                    progress.update(task, completed=some[-1].line.read, commands=outcome.done)

            try:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(connections):
                        senders.create_task(send_some())
            except ExceptionGroup as group:
                # Whatever else has failed beside it: what stops a load is told plainly.
                if (known := group.subgroup(CaudalError)) is None:
                    raise
                raise known.exceptions[0] from group
        progress.update(task, completed=size, commands=outcome.done)
    _report(console, outcome)
    return 1 if outcome.failed else 0


def command_url(system: str, command: str, url: str | None, data_dir: Path) -> str:
    """Where a command is posted: at the API given, or that of the stack running with this data folder."""
    if url is None:
        stack = running_stack(data_dir)
        if stack is None:
            raise NotFound(f"no stack runs from {data_dir}; start one with `caudal up`, or name the command API by --url")
        url = stack.command_api
    if not url.startswith(("http://", "https://")):
        raise Malformed(f"--url is the command API's, such as http://127.0.0.1:5001, not {url!r}")
    return f"{url.rstrip('/')}/commands/{system}/{command}"


def _orders(lines: Iterator[Line], target: str, shape: Shape, outcome: Outcome) -> Iterator[_Order]:
    seen: Counter[bytes] = Counter()
    name = target.partition("/commands/")[2].encode()
    for line in lines:
        if line.content is None:
            outcome.complain(line.number, line.problem or "unreadable")
            continue
        command = {**shape.fixed, **(line.content if shape.into is None else {shape.into: line.content})}
        try:
            canonical = orjson.dumps(command, option=orjson.OPT_SORT_KEYS)
        except TypeError as error:
            outcome.complain(line.number, f"cannot be kept: {error}")
            continue
        mark = hashlib.sha256(name + b"\n" + canonical).digest()
        seen[mark] += 1
        key = f"load-{mark.hex()[:40]}-{seen[mark]}"
        yield _Order(line, orjson.dumps({"command": command, "idempotency_key": key}))


def _some(orders: Iterator[_Order], batch: int) -> list[_Order]:
    some: list[_Order] = []
    size = 0
    for order in islice(orders, batch):
        some.append(order)
        size += len(order.content)
        if size > _MAX_BYTES:
            break
    return some


async def _send(
    session: aiohttp.ClientSession, target: str, orders: list[_Order], outcome: Outcome, say: Callable[[str], None]
) -> None:
    clock = asyncio.get_running_loop()
    give_up, pause = clock.time() + GIVE_UP_SECONDS, 0.1
    while orders:
        try:
            async with session.post(
                target, data=b"\n".join(order.content for order in orders), headers={"Content-Type": "application/x-ndjson"}
            ) as response:
                body = await response.read()
                answers = [orjson.loads(line) for line in body.splitlines()]
                if response.status == 200:
                    orders, why = _sorted_out(orders, answers, outcome)
                elif response.status in (429, 500, 502, 503, 504):
                    why = _detail(answers[0])
                elif response.status == 404:
                    raise NotFound(_detail(answers[0]))
                elif len(orders) > 1:
                    # One of them spoils the batch: each for itself then.
                    for order in orders:
                        await _send(session, target, [order], outcome, say)
                    return
                else:
                    outcome.complain(orders[0].line.number, _detail(answers[0]))
                    return
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError, IndexError) as error:
            why = str(error) or type(error).__name__
        if not orders:
            return
        if pause == 0.1:
            say(f"trying again for {GIVE_UP_SECONDS:g} s at most: {why}")
        if clock.time() > give_up:
            raise Unavailable(f"line {orders[0].line.number} was not accepted for {GIVE_UP_SECONDS:g} s: {why}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2)


def _sorted_out(orders: list[_Order], answers: list[Any], outcome: Outcome) -> tuple[list[_Order], str]:
    """Counts what is settled; returns the orders that may succeed if they come again, and why they did not."""
    again: list[_Order] = []
    why = ""
    for order, answer in zip(orders, answers, strict=True):
        if answer["status"] < 300:
            outcome.known += answer["repeated"]
            outcome.accepted += not answer["repeated"]
        elif answer["status"] in _COME_BACK and answer["type"] != "urn:caudal:problem:already-exists":
            again.append(order)
            why = _detail(answer)
        else:
            outcome.complain(order.line.number, _detail(answer))
    return again, why


def _detail(problem: Any) -> str:
    errors = "; ".join(f"{error['pointer'] or '/'} {error['detail']}" for error in problem.get("errors", ()))
    return f"{problem['detail']}{f' ({errors})' if errors else ''}"


def _report(console: Console, outcome: Outcome) -> None:
    for _, complaint in sorted(outcome.complaints):
        console.print(complaint, style="red", markup=False, soft_wrap=True)
    if outcome.failed > len(outcome.complaints):
        console.print(f"… and {outcome.failed - len(outcome.complaints)} more", style="red")
    console.print(f"{outcome.accepted} accepted, {outcome.known} there already, {outcome.failed} failed")


class _Rate(ProgressColumn):
    """Commands, and commands a second."""

    def render(self, task: Task) -> Text:
        commands = task.fields.get("commands", 0)
        return Text(f"{commands:,} commands, {commands / max(task.elapsed or 0, 0.001):,.0f}/s")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _Rate(), TimeRemainingColumn(), console=console
    )
