"""Commands that may end the process: recursion in C, too little memory, ``os._exit`` (ADR 0009).

The same as for events (`streams.subscriptions.process_deaths.guarded_subscriber`), with offsets for positions: in its first
seconds with a partition a process notes which records it has in flight. The next process that finds the note handles these
one by one, with nothing else of the process in flight. Only deaths of a command that was handled alone are counted; after two
it is parked. A command is in flight while an attempt lasts: between two attempts, while its log is out of reach, others are
handled.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from schemas.errors import CaudalError
from schemas.system import ContextName
from streams.subscriptions.faults import ProcessDied
from streams.subscriptions.process_deaths.attempts import (
    CAREFUL_SECONDS,
    CLEAR_SECONDS,
    DIED_ALONE,
    MAX_IN_FLIGHT,
    Attempt,
    Attempts,
)
from streams.subscriptions.process_deaths.turns import Turns
from streams.telemetry.retrying import until_done

_log = structlog.get_logger()

Where = tuple[ContextName, int]
"""A context and a partition of its commands topic."""
Turn = Callable[[Any], AbstractAsyncContextManager[None]]
"""Begins a turn for a block that tries to handle a record; raises `ProcessDied` if processes died of it, and `Unavailable`."""
Handle = Callable[[Sequence[Any], Turn], Awaitable[None]]
"""Handles records, each attempt within a turn."""


@dataclass(slots=True)
class _Partition:
    """The part of this process in a partition, since it was assigned."""

    is_known: bool = False
    """Whether the attempt that the processes before this one left was read."""
    before: Attempt | None = None
    """That attempt, as long as some of its records are to be handled."""
    careful_until: float | None = None
    is_proven: bool = False
    """Whether this process has handled batches for some seconds and is still alive."""


class GuardedCommands:
    """Hands out the turns in which a process handles the records of its partitions, one batch of a partition at a time."""

    def __init__(self, attempts: Callable[[ContextName], Attempts], turns: Turns) -> None:
        """``turns`` are those of everything that the process handles."""
        self._attempts, self._turns = attempts, turns
        self._partitions: dict[Where, _Partition] = {}

    async def handle(self, where: Where, records: Sequence[Any], handle: Handle) -> None:
        """Has records of one partition handled, in order; waits for the notes through outages."""
        partition = self._partitions.setdefault(where, _Partition())
        if partition.is_proven:
            await handle(records, self._together)
            return
        suspects = await self._suspects(where, partition, records)
        for record in suspects:
            await handle([record], lambda record: self._alone(where, partition, record))
        if partition.before is not None:
            if suspects and partition.before.up_to > records[-1].offset:
                return
            await until_done(lambda: self._attempts(where[0]).clear([where]), "attempt not cleared yet")
            partition.before = None
        if rest := records[len(suspects) :]:
            await self._handle_carefully(where, partition, rest, handle)

    def invalidate(self) -> None:
        """Drops what this process remembers of its partitions: other processes may die of them meanwhile."""
        self._partitions.clear()

    async def _suspects(self, where: Where, partition: _Partition, records: Sequence[Any]) -> Sequence[Any]:
        """Returns the records of a batch that were in flight when a process died, and those before them."""
        if not partition.is_known:
            partition.before = await until_done(lambda: self._attempts(where[0]).newest(*where), "attempts not read yet")
            partition.is_known = True
        before = partition.before
        if before is None or before.up_to - records[0].offset > MAX_IN_FLIGHT:  # or it is of another topic
            return []
        suspects = [record for record in records if record.offset <= before.up_to]
        if suspects:
            _log.warning("commands handled one by one", topic=records[0].topic, partition=where[1], **before._asdict())
        return suspects

    async def _handle_carefully(self, where: Where, partition: _Partition, records: Sequence[Any], handle: Handle) -> None:
        """Notes records and lets them be handled side by side."""
        attempts, now = self._attempts(where[0]), time.monotonic()
        if partition.careful_until is None:
            partition.careful_until = now + CAREFUL_SECONDS
        is_last = now >= partition.careful_until
        note = Attempt(records[0].offset, records[-1].offset, 0)
        await until_done(lambda: attempts.note({where: note}), "attempt not noted yet")
        try:
            await handle(records, self._together)
        except (Exception, asyncio.CancelledError):
            await self._set_back(where, None)
            raise
        if is_last:
            await until_done(lambda: attempts.clear([where]), "attempt not cleared yet")
            partition.is_proven = True

    def _together(self, _: Any) -> AbstractAsyncContextManager[None]:
        return self._turns.together()

    @asynccontextmanager
    async def _alone(self, where: Where, partition: _Partition, record: Any) -> AsyncIterator[None]:
        """Notes a record, and lets a block handle it while the process handles nothing else."""
        async with self._turns.alone():
            before = partition.before
            assert before is not None, "only the records of an attempt are handled alone"
            attempt = before.alone(record.offset)
            if attempt.is_given_up:
                raise ProcessDied(DIED_ALONE)
            await self._attempts(where[0]).note({where: attempt})
            try:
                yield
            except (Exception, asyncio.CancelledError):
                await self._set_back(where, before)
                raise
            if record.offset >= before.first:
                partition.before = Attempt(record.offset + 1, before.up_to, 0)
            await self._set_back(where, partition.before)

    async def _set_back(self, where: Where, attempt: Attempt | None) -> None:
        """Sets the note of a partition to what is true while nothing of it is in flight, unless that takes too long."""
        attempts = self._attempts(where[0])
        with suppress(CaudalError, TimeoutError):
            async with asyncio.timeout(CLEAR_SECONDS):
                await (attempts.clear([where]) if attempt is None else attempts.note({where: attempt}))
