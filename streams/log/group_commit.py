"""Group commit: the appends of one process to one log are sent together, at once when idle, and never on top of a failed one.

    decide A ─► append(A) ─┐                        ┌─► batch 1 ─► PostgreSQL ─► receipts of A, B
    decide B ─► append(B) ─┴─► queue ─► next batch ─┤   (while it is in flight, C and D queue up)
    decide C ─► append(C) ───► queue                └─► batch 2, once batch 1 is back, or beside it if many wait

A command is decided on the state that the commands before it leave behind, before those are appended: B may rely on A. So a
failure of A must fail B, even if B's expected version fits by chance because another process was faster. Two rules see to it:

1. Within a batch the log itself appends nothing that relies on a command of the batch that it did not append.
2. When a batch is back, `_fail_dependents` fails every queued append that relies on a stream that a failed one changed, and
   ``evict`` drops the state of those streams, both before anything else runs. Later decisions read the log.

No stream is in two batches at once, so that rule 2 always comes in time.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from prometheus_client import Histogram

from schemas.envelope import Receipt
from schemas.errors import Conflict, Unavailable
from streams.log.reading import Append, AppendableLog

MAX_BATCH_COMMANDS = 512
"""From some hundred on, a larger batch is hardly faster and holds the lock on the log's head longer."""

OVERTAKING_COMMANDS = 24
"""From so many queued commands on, a second batch is sent behind the first: while one is appended, the next is encoded."""

BATCHES = Histogram(
    "caudal_append_batch_commands",
    "Number of commands appended together.",
    ["context"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, MAX_BATCH_COMMANDS),
)
SECONDS = Histogram(
    "caudal_append_batch_seconds",
    "Time to append a batch.",
    ["context"],
    buckets=(0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8, 16),
)

_DEPENDS_ON_FAILED = "the decision depends on a stream or a command whose append failed"


class _Queued(NamedTuple):
    append: Append
    answer: asyncio.Future[Receipt]


class GroupCommit:
    """Queues appends and sends those that have queued up while other batches were in flight. Needs a running loop."""

    def __init__(self, log: AppendableLog, evict: Callable[[Iterable[str]], None] = lambda _: None) -> None:
        """``evict`` gets the streams whose remembered state is not, or may not be, what the log has."""
        self._log, self._evict = log, evict
        self._queue: deque[_Queued] = deque()
        self._in_flight: list[set[str]] = []
        """The streams of each batch that is in flight."""
        self._sending: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self._batches, self._seconds = BATCHES.labels(str(log.context)), SECONDS.labels(str(log.context))

    async def append(self, append: Append) -> Receipt:
        """Appends what one command decided and returns its receipt.

        It is queued before anything is awaited: no other command can be decided in between. Raises `Conflict`,
        `IdempotencyKeyReused` or `Unavailable`; the streams of the append are evicted then.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Receipt] = loop.create_future()
        self._queue.append(_Queued(append, answer))
        if not self._is_scheduled:
            # In the next turn of the loop: every command that is decided in this turn joins the batch.
            self._is_scheduled = True
            loop.call_soon(self._send_batches)
        return await answer

    def _send_batches(self) -> None:
        self._is_scheduled = False
        while self._queue and self._may_send():
            batch, streams = self._next_batch()
            if not batch:
                return
            self._in_flight.append(streams)
            task = asyncio.create_task(self._send(batch, streams))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _may_send(self) -> bool:
        return not self._in_flight or (len(self._in_flight) == 1 and len(self._queue) >= OVERTAKING_COMMANDS)

    def _next_batch(self) -> tuple[list[_Queued], set[str]]:
        """Removes the appends from the queue that can be sent now.

        None is for a stream that is in flight, or that an earlier queued append waits for.
        """
        batch: list[_Queued] = []
        streams: set[str] = set()
        held: list[_Queued] = []
        busy: set[str] = set().union(*self._in_flight)
        limit = self._batch_limit()
        while self._queue and len(batch) < limit:
            queued = self._queue.popleft()
            own = [write.stream for write in queued.append.writes]
            if queued.answer.done():  # its caller is gone, and nothing that relies on it may be sent
                self._fail_dependents([queued.append])
            elif busy and not busy.isdisjoint(own):
                busy.update(own)
                held.append(queued)
            else:
                streams.update(own)
                batch.append(queued)
        self._queue.extendleft(reversed(held))
        return batch, streams

    def _batch_limit(self) -> int:
        # Of many, half: while those are appended, the other half is encoded, and from then on the two take turns.
        if not self._in_flight and len(self._queue) >= 2 * OVERTAKING_COMMANDS:
            return min(MAX_BATCH_COMMANDS, len(self._queue) // 2)
        return MAX_BATCH_COMMANDS

    async def _send(self, batch: list[_Queued], streams: set[str]) -> None:
        try:
            answers = await self._append([queued.append for queued in batch])
            self._fail_dependents([queued.append for queued, answer in zip(batch, answers, strict=True) if _has_failed(answer)])
            for queued, answer in zip(batch, answers, strict=True):
                if queued.answer.done():
                    continue
                if isinstance(answer, Exception):
                    queued.answer.set_exception(answer)
                else:
                    queued.answer.set_result(answer)
        finally:
            self._in_flight.remove(streams)
            self._send_batches()

    def _fail_dependents(self, failed: Sequence[Append]) -> None:
        """Evicts the streams of failed appends, and fails every queued append that was decided on top of one of them."""
        if not failed:
            return
        changed = {stream for append in failed for stream in _changed(append)}
        evicted = {write.stream for append in failed for write in append.writes}
        for queued in self._queue:
            if not queued.answer.done() and _relies_on(queued.append, changed):
                changed.update(_changed(queued.append))
                evicted.update(write.stream for write in queued.append.writes)
                queued.answer.set_exception(Conflict(_DEPENDS_ON_FAILED))
        self._queue = deque(queued for queued in self._queue if not queued.answer.done())
        self._evict(evicted)

    async def _append(self, batch: list[Append]) -> Sequence[Receipt | Exception]:
        self._batches.observe(len(batch))
        try:
            with self._seconds.time():
                return await self._log.append(batch)
        except Exception as error:
            if isinstance(error, Unavailable) or len(batch) == 1:
                return [error] * len(batch)
        return await self._append_one_by_one(batch)

    async def _append_one_by_one(self, batch: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """Appends a batch that cannot be stored together command by command, so that only the faulty one fails."""
        changed: set[str] = set()
        unavailable: Unavailable | None = None
        answers: list[Receipt | Exception] = []
        for append in batch:
            answer: Receipt | Exception
            if unavailable is not None:
                answer = unavailable
            elif _relies_on(append, changed):
                answer = Conflict(_DEPENDS_ON_FAILED)
            else:
                (answer,) = await self._append([append])
            if isinstance(answer, Unavailable):
                unavailable = answer
            if _has_failed(answer):
                changed.update(_changed(append))
            answers.append(answer)
        return answers


def _has_failed(answer: Receipt | Exception) -> bool:
    """Returns whether the events of an append are not in the log because of it: it failed, or it repeats an earlier command."""
    return isinstance(answer, Exception) or answer.repeated


def _changed(append: Append) -> list[str]:
    return [write.stream for write in append.writes if write.events]


def _relies_on(append: Append, streams: set[str]) -> bool:
    """Returns whether an append was decided on a version of one of some streams."""
    return any(write.expected.code >= 0 and write.stream in streams for write in append.writes)
