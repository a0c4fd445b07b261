"""The sender of a load: batches of commands, each sent until every command of it has a final result."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any

import aiohttp
import orjson

from deploy.operations.load.keyed_commands import KeyedCommand
from deploy.operations.load.outcome import Outcome
from deploy.operations.load.pace import Pace
from schemas.errors import Forbidden, Malformed, NotFound

_MAX_BYTES, _MIN_BYTES = 4 * 1024 * 1024, 64 * 1024
"""Sizes of batches. An API with a lower limit may close the connection while a batch arrives."""
_TEMPORARY = (409, 429, 503)
"""Statuses of a command that may succeed at the next attempt."""
_RETRIED = (429, 500, 502, 503, 504)
"""Statuses of a batch that may succeed at the next attempt."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to a batch."""

    status: int
    retry_after: float
    """Seconds that the API asks to wait for; 0 if it does not."""
    documents: Sequence[Any]
    """The JSON objects of its body; none if it is anything else."""
    reason: str

    @property
    def detail(self) -> str:
        """The problem as one line."""
        if self.documents and "detail" in self.documents[0]:
            return _detail(self.documents[0])
        return f"HTTP {self.status} {self.reason}".rstrip()


class Sender:
    """Sends commands to one URL. Several tasks may `run` at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        commands: Iterator[KeyedCommand],
        outcome: Outcome,
        pace: Pace,
        *,
        batch: int,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._url, self._commands = session, url, commands
        self._outcome, self._pace, self._say = outcome, pace, say
        self._batch, self._max_bytes = batch, _MAX_BYTES

    async def run(self, finished: Callable[[], None]) -> None:
        """Sends batches until no command is left; calls ``finished`` after each.

        Raises `Unavailable` if the load makes no progress, `NotFound` or `Malformed` if the URL is not a command's, and
        `Forbidden` if the API wants another token.
        """
        # All tasks take the next commands from one iterator, which returns each once.
        while batch := self._next_batch():
            await self._send(batch)
            finished()

    def _next_batch(self) -> list[KeyedCommand]:
        batch: list[KeyedCommand] = []
        size = 0
        for command in islice(self._commands, self._batch):
            batch.append(command)
            size += len(command.content)
            if size > self._max_bytes:
                break
        return batch

    async def _send(self, commands: list[KeyedCommand]) -> None:
        """Sends commands until each has a final result."""
        while commands:
            await self._pace.wait()
            retry_after = 0.0
            try:
                answer = await self._post(commands)
            except aiohttp.InvalidURL as error:
                raise Malformed(f"{self._url} is not a URL: {error}") from error
            except (aiohttp.ClientError, TimeoutError) as error:
                why = str(error) or type(error).__name__
                half = sum(len(command.content) for command in commands) // 2
                if half > _MIN_BYTES and len(commands) > 1 and not isinstance(error, aiohttp.ClientConnectorError):
                    self._max_bytes = min(self._max_bytes, half)
                    self._pace.failed(commands[0].record.place, why, 0)
                    await self._send_in_halves(commands)
                    return
            else:
                commands, why = await self._handle(commands, answer)
                retry_after = answer.retry_after
            if commands:
                self._pace.failed(commands[0].record.place, why, retry_after)

    async def _post(self, commands: Sequence[KeyedCommand]) -> _Answer:
        body = BytesIO(b"\n".join(command.content for command in commands))
        async with self._session.post(self._url, data=body, headers={"Content-Type": "application/x-ndjson"}) as response:
            documents = _documents(await response.read())
            retry_after = _seconds(response.headers.get("Retry-After", ""))
            return _Answer(response.status, retry_after, documents, response.reason or "")

    async def _handle(self, commands: list[KeyedCommand], answer: _Answer) -> tuple[list[KeyedCommand], str]:
        """Returns the commands of a batch that are to be sent again, and why; the others have their results."""
        if answer.status == 200:
            return self._count_results(commands, answer)
        if answer.status in _RETRIED:
            return commands, answer.detail
        if answer.status == 404:
            raise NotFound(f"{self._url}: {answer.detail}")
        if answer.status in (401, 403):
            raise Forbidden(f"{answer.detail}: give a token with --token")
        if len(commands) == 1:
            self._outcome.reject(commands[0].record, answer.detail)
            self._pace.progressed()
        elif answer.status == 413:
            if (half := (len(commands) + 1) // 2) < self._batch:
                self._batch = half
                self._say(f"sending {half} commands at a time from now on: {answer.detail}")
            await self._send_in_halves(commands)
        else:  # one command makes the whole batch fail
            for command in commands:
                await self._send([command])
        return [], ""

    async def _send_in_halves(self, commands: list[KeyedCommand]) -> None:
        half = (len(commands) + 1) // 2
        await self._send(commands[:half])
        await self._send(commands[half:])

    def _count_results(self, commands: list[KeyedCommand], answer: _Answer) -> tuple[list[KeyedCommand], str]:
        """Counts the final results; returns the commands that may succeed at the next attempt, and why they failed."""
        if len(answer.documents) != len(commands):
            raise NotFound(f"{self._url} does not answer like a command API")
        again: list[KeyedCommand] = []
        why = ""
        for command, result in zip(commands, answer.documents, strict=True):
            if result["status"] < 300:
                self._outcome.known += result["repeated"]
                self._outcome.accepted += not result["repeated"]
            elif result["status"] in _TEMPORARY and result["type"] != "urn:caudal:problem:already-exists":
                again.append(command)
                why = _detail(result)
            else:
                self._outcome.reject(command.record, _detail(result))
        if len(again) < len(commands):
            self._pace.progressed()
        return again, why


def _seconds(text: str) -> float:
    """Returns the seconds in a header; 0 for a date, which the API does not send."""
    return float(text) if re.fullmatch("[0-9]{1,6}", text) else 0.0


def _documents(body: bytes) -> list[Any]:
    try:
        documents = [orjson.loads(line) for line in body.splitlines()]
    except orjson.JSONDecodeError:
        return []
    return documents if all(isinstance(document, dict) for document in documents) else []


def _detail(problem: Any) -> str:
    """Returns a problem as one line. A pointer into a batch's line is shown as one into its command."""
    errors = "; ".join(
        f"{error['pointer'].removeprefix('/command') or '/'} {error['detail']}" for error in problem.get("errors", ())
    )
    return f"{problem['detail']}{f' ({errors})' if errors else ''}"
