"""Group commit: commands in flight are appended together, at once when idle, and never on top of what may not come to be."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from prometheus_client import Histogram

from schemas.envelope import Receipt
from schemas.errors import Conflict, Unavailable
from streams.log.reading import Append, AppendableLog

MAX = 512
"""Commands in a batch at most; from some hundred on, a larger one is hardly faster and holds the head lock longer."""

WORTH_OVERTAKING = 24
"""Commands that must wait before a second batch is sent behind the first: while one is appended, the next is encoded."""


BATCHES = Histogram(
    "caudal_append_batch_commands", "Commands appended together.", ["context"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, MAX)
)
SECONDS = Histogram(
    "caudal_append_batch_seconds",
    "Time to append a batch.",
    ["context"],
    buckets=(0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8, 16),
)


class _Waiting(NamedTuple):
    append: Append
    stands: Callable[[], bool]
    answer: asyncio.Future[Receipt]


class GroupCommit:
    """Queues the appends of one process for one log and sends what has queued up while other batches were under way.

    At most two batches are under way, and no stream is in both: what is decided on top of an append that then fails is
    recognised, through ``stands``, before it is sent. Running loop needed.
    """

    def __init__(self, log: AppendableLog) -> None:
        self._log = log
        self._queue: deque[_Waiting] = deque()
        self._under_way: list[set[str]] = []
        """The streams of each batch that is under way."""
        self._sending: set[asyncio.Task[None]] = set()
        self._about_to_send = False
        self._batches, self._seconds = BATCHES.labels(str(log.context)), SECONDS.labels(str(log.context))

    async def append(self, append: Append, stands: Callable[[], bool] = lambda: True) -> Receipt:
        """Appends what one command decided and returns its receipt.

        ``stands`` is asked right before sending: whether the state that the decision was made on is still believed in.
        Raises `Conflict`, `IdempotencyKeyReused` or `Unavailable`.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Receipt] = loop.create_future()
        self._queue.append(_Waiting(append, stands, answer))
        if not self._about_to_send:
            # Whoever else is about to append in this turn of the loop comes along.
            self._about_to_send = True
            loop.call_soon(self._send_if_worth_it)
        return await answer

    def _send_if_worth_it(self) -> None:
        self._about_to_send = False
        while self._queue and (not self._under_way or (len(self._under_way) == 1 and len(self._queue) >= WORTH_OVERTAKING)):
            batch, streams = self._next_batch()
            if not batch:
                return
            self._under_way.append(streams)
            task = asyncio.create_task(self._send(batch, streams))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, batch: list[_Waiting], streams: set[str]) -> None:
        try:
            answers = await self._append([waiting.append for waiting in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                if waiting.answer.done():
                    continue
                if isinstance(answer, Exception):
                    waiting.answer.set_exception(answer)
                else:
                    waiting.answer.set_result(answer)
            # Whoever waited for a failed append must be able to disown its state before the next batch is made.
            await asyncio.sleep(0)
        finally:
            self._under_way.remove(streams)
            self._send_if_worth_it()

    async def _append(self, batch: list[Append]) -> Sequence[Receipt | Exception]:
        self._batches.observe(len(batch))
        try:
            with self._seconds.time():
                return await self._log.append(batch)
        except Exception as error:
            if isinstance(error, Unavailable) or len(batch) == 1:
                return [error] * len(batch)
        return await self._append_alone(batch)

    async def _append_alone(self, batch: Sequence[Append]) -> Sequence[Receipt | Exception]:
        """Appends one after another what cannot be stored together, so that only what is at fault fails.

        As within a batch, nothing is appended that was decided on top of what was not.
        """
        failed: set[str] = set()
        gone: Unavailable | None = None
        answers: list[Receipt | Exception] = []
        for append in batch:
            answer: Receipt | Exception
            if gone is not None:
                answer = gone
            elif any(write.expected.code >= 0 and write.stream in failed for write in append.writes):
                answer = Conflict("the decision was made on a state that did not come to be")
            else:
                (answer,) = await self._append([append])
            if isinstance(answer, Unavailable):
                gone = answer
            if isinstance(answer, Exception) or answer.repeated:
                failed |= {write.stream for write in append.writes if write.events}
            answers.append(answer)
        return answers

    def _next_batch(self) -> tuple[list[_Waiting], set[str]]:
        """Takes off the queue what can be sent now, and names its streams: none that is under way or waited for already."""
        batch: list[_Waiting] = []
        streams: set[str] = set()
        held: list[_Waiting] = []
        busy: set[str] = set().union(*self._under_way)
        most = MAX
        if not self._under_way and len(self._queue) >= 2 * WORTH_OVERTAKING:
            # Of many, half: while those are appended, the other half is encoded, and from then on they take turns.
            most = min(MAX, len(self._queue) // 2)
        while self._queue and len(batch) < most:
            waiting = self._queue.popleft()
            if waiting.answer.done():
                continue
            own = [write.stream for write in waiting.append.writes]
            if busy and not busy.isdisjoint(own):
                busy.update(own)
                held.append(waiting)
            elif waiting.stands():
                streams.update(own)
                batch.append(waiting)
            else:
                waiting.answer.set_exception(Conflict("the decision was made on a state that did not come to be"))
        self._queue.extendleft(reversed(held))
        return batch, streams
