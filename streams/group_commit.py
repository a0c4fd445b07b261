"""Group commit: commands in flight are appended together, one batch at a time, at once when idle."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from schemas.envelope import Receipt
from schemas.errors import Conflict, Unavailable
from streams.log import Append, AppendableLog

MOST = 512
"""Commands in a batch at most; from some hundred on, a larger one is hardly faster and holds the head lock longer."""


class GroupCommit:
    """Queues the appends of one process for one log and sends what has queued up while the last batch was under way.

    One batch at a time: what is decided on top of an append that then fails is recognised, through ``stands``, before
    it is sent. Running loop needed.
    """

    def __init__(self, log: AppendableLog) -> None:
        self._log = log
        self._queue: deque[tuple[Append, Callable[[], bool], asyncio.Future[Receipt]]] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def append(self, append: Append, stands: Callable[[], bool] = lambda: True) -> Receipt:
        """Appends what one command decided and returns its receipt.

        ``stands`` is asked right before sending: whether the state that the decision was made on is still believed in.
        Raises `Conflict`, `IdempotencyKeyReused` or `Unavailable`.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._queue.append((append, stands, answer))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        return await answer

    async def _send(self) -> None:
        while self._queue:
            batch = self._next_batch()
            if not batch:
                continue
            answers = await self._append([append for append, _ in batch])
            for (_, waiting), answer in zip(batch, answers, strict=True):
                if waiting.done():
                    continue
                if isinstance(answer, Exception):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)
            # Whoever waited for a failed append must be able to disown its state before the next batch is made.
            await asyncio.sleep(0)

    async def _append(self, batch: list[Append]) -> Sequence[Receipt | Exception]:
        try:
            return await self._log.append(batch)
        except Exception as error:
            if isinstance(error, Unavailable) or len(batch) == 1:
                return [error] * len(batch)
        # Something in one of them cannot be stored: let it fail alone. Each is told by its id if it is in the log after all.
        return [answer for append in batch for answer in await self._append([append])]

    def _next_batch(self) -> list[tuple[Append, asyncio.Future[Receipt]]]:
        batch: list[tuple[Append, asyncio.Future[Receipt]]] = []
        while self._queue and len(batch) < MOST:
            append, stands, waiting = self._queue.popleft()
            if waiting.done():
                continue
            if stands():
                batch.append((append, waiting))
            else:
                waiting.set_exception(Conflict("the decision was made on a state that did not come to be"))
        return batch
