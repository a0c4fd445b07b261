"""The dead letters of a subscription in memory, for tests of what is parked and tried again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.log.stored_events import StoredEvent
from streams.subscriptions.dead_letters import DeadLetter, Parked
from streams.subscriptions.faults import Fault

CONTEXT = ContextName("todo", "tasks")


class FakeDeadLetters:
    """In the place of a subscription's store, which has them."""

    subscription = "todo.tasks"

    def __init__(self) -> None:
        self.dead_letters = self.checkpoints = self
        self.open: list[StoredEvent] = []
        self.parked: list[Parked] = []
        self.handled: list[int] = []
        self.failed: list[tuple[int, Fault]] = []
        self.deaths: dict[int, int] = {}
        self.claimed: set[int] = set()
        self.extensions = 0
        self.is_away = False
        self.died: list[str] = []
        self.edited: str | None = None
        self.is_locked = False

    async def blocked(self, _: Any, context: ContextName, streams: set[str]) -> set[str]:
        return streams & {one.stream for one in self.open}

    async def park(self, _: Any, parked: Sequence[Parked]) -> None:
        self.parked += parked

    async def due(self) -> Sequence[tuple[ContextName, int, str]]:
        return sorted({(CONTEXT, 0, one.stream) for one in self.open})

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        if self.is_away:
            raise Unavailable("no database")
        self.is_locked = True
        yield None
        self.is_locked = False

    async def lock(self, *_: Any) -> None:
        pass

    async def of_stream(self, _: Any, context: ContextName, stream: str) -> Sequence[Any]:
        return [
            SimpleNamespace(
                context=CONTEXT,
                name=str(one.position),
                id=one.position,
                edited=self.edited,
                deaths=self.deaths.get(one.position, 0),
                stored_event=lambda one=one: one,
            )
            for one in self.open
            if one.stream == stream
        ]

    async def mark_handled(self, _: Any, dead_letter: DeadLetter) -> None:
        self.handled.append(dead_letter.id)
        self.open = [one for one in self.open if one.position != dead_letter.id]

    async def mark_failed(self, _: Any, dead_letter: DeadLetter, fault: Fault) -> None:
        self.failed.append((dead_letter.id, fault))
        self.deaths[dead_letter.id] = 0
        self.claimed.discard(dead_letter.id)

    async def claim(self, _: Any, dead_letter: DeadLetter, deaths: int) -> bool:
        if dead_letter.id in self.claimed:
            return False
        self.deaths[dead_letter.id] = deaths
        self.claimed.add(dead_letter.id)
        return True

    async def extend_claim(self, dead_letter: DeadLetter, deaths: int) -> None:
        self.extensions += self.deaths[dead_letter.id] == deaths

    async def release(self, _: Any, dead_letter: DeadLetter, deaths: int) -> None:
        if self.deaths[dead_letter.id] == deaths:
            self.deaths[dead_letter.id] = 0
            self.claimed.discard(dead_letter.id)

    async def mark_died(self, _: Any, dead_letter: DeadLetter, fault: Fault) -> None:
        self.died.append(f"{dead_letter.id} {fault.error}")
