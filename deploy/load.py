"""``caudal load``: sends every line of a file as a command. A second run adds nothing, so a broken run is just repeated.

Each command's idempotency key is made of its content (and, of equal lines, the ordinal), not of its place in the file.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.lines import Line, read_lines
from deploy.local.stack import running_stack
from schemas.errors import NotFound, Unavailable

GIVE_UP_SECONDS = 120.0
_MOST_COMPLAINTS = 50
_REDRAW = 50


@dataclass(slots=True)
class Outcome:
    """What became of the lines."""

    accepted: int = 0
    known: int = 0
    """Commands that were handled before."""
    failed: int = 0
    complaints: list[str] = field(default_factory=list)

    def complain(self, number: int, why: str) -> None:
        self.failed += 1
        if len(self.complaints) < _MOST_COMPLAINTS:
            self.complaints.append(f"line {number}: {why}")


async def load_file(
    file: Path, target: str, *, fixed: Mapping[str, Any], into: str | None, numbers: frozenset[str], connections: int
) -> int:
    """Sends the lines to ``target``, the command's URL, and returns the exit code: 0 if every line was accepted.

    A line becomes the command itself, or its field ``into`` beside the ``fixed`` fields. Raises `Unavailable` where the
    API cannot be reached for two minutes, `Malformed` where the file cannot be read.
    """
    outcome, size = Outcome(), file.stat().st_size  # noqa: ASYNC240 - nothing else runs yet
    console = Console(stderr=True, highlight=False)
    with _progress(console) as progress:
        task = progress.add_task(file.name, total=size)
        lines = read_lines(file, numbers)
        keyed = _keyed(lines, target, fixed, into, outcome)
        async with _session(connections) as session:

            async def send_some() -> None:
                # Every sender takes the next line from the one iterator, which hands each line out once.
                for line, key, body in keyed:
                    await _send(session, target, line.number, key, body, outcome)
                    done = outcome.accepted + outcome.known
                    if done % _REDRAW == 0:
                        progress.update(task, completed=line.read, commands=done)

            try:
                async with asyncio.TaskGroup() as senders:
                    for _ in range(connections):
                        senders.create_task(send_some())
            except* Unavailable as group:
                raise group.exceptions[0] from group
        progress.update(task, completed=size, commands=outcome.accepted + outcome.known)
    _report(console, outcome)
    return 1 if outcome.failed else 0


def command_url(system: str, command: str, url: str | None, data_dir: Path) -> str:
    """Where a command is posted: at the API given, or that of the stack running with this data folder."""
    if url is None:
        stack = running_stack(data_dir)
        if stack is None:
            raise NotFound(f"no stack runs from {data_dir}; start one with `caudal up`, or name the command API by --url")
        url = stack.command_api
    return f"{url.rstrip('/')}/commands/{system}/{command}"


def _keyed(
    lines: Iterator[Line], target: str, fixed: Mapping[str, Any], into: str | None, outcome: Outcome
) -> Iterator[tuple[Line, str, bytes]]:
    seen: Counter[bytes] = Counter()
    path = target.partition("/commands/")[2]
    for line in lines:
        if line.content is None:
            outcome.complain(line.number, line.problem or "unreadable")
            continue
        command = {**fixed, **(line.content if into is None else {into: line.content})}
        body = orjson.dumps(command)
        mark = hashlib.sha256(path.encode() + b"\n" + orjson.dumps(command, option=orjson.OPT_SORT_KEYS)).digest()
        seen[mark] += 1
        yield line, f"load-{mark.hex()[:40]}-{seen[mark]}", body


async def _send(session: aiohttp.ClientSession, target: str, number: int, key: str, body: bytes, outcome: Outcome) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    give_up, pause = asyncio.get_running_loop().time() + GIVE_UP_SECONDS, 0.1
    while True:
        try:
            async with session.post(target, data=body, headers=headers) as response:
                answer = await response.read()
                if response.status < 300:
                    known = "Idempotent-Replayed" in response.headers
                    outcome.known += known
                    outcome.accepted += not known
                    return
                if response.status not in (409, 429, 500, 502, 503, 504) or _settled(answer):
                    outcome.complain(number, _detail(answer, response.status))
                    return
                why = _detail(answer, response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or type(error).__name__
        if asyncio.get_running_loop().time() > give_up:
            raise Unavailable(f"line {number} was not accepted for {GIVE_UP_SECONDS:g} s: {why}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 2)


def _settled(answer: bytes) -> bool:
    """Whether a refusal would be the same the next time."""
    try:
        kind = orjson.loads(answer).get("type", "")
    except (orjson.JSONDecodeError, AttributeError):
        return False
    return str(kind).removeprefix("urn:caudal:problem:") in ("already-exists", "refused", "internal", "misconfigured")


def _detail(answer: bytes, status: int) -> str:
    try:
        problem = orjson.loads(answer)
        errors = "; ".join(f"{e['pointer'] or '/'} {e['detail']}" for e in problem.get("errors", ()))
        return f"{problem['detail']}{f' ({errors})' if errors else ''}"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return f"HTTP {status}"


def _report(console: Console, outcome: Outcome) -> None:
    for complaint in outcome.complaints:
        console.print(complaint, style="red", markup=False)
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
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
    )


@asynccontextmanager
async def _session(connections: int) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=connections, force_close=False)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session
