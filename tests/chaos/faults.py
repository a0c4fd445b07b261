"""Faults, each done to a stack that the run has started."""

import asyncio
import random
import shutil
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import asyncpg

from deploy.local.ports import LOOPBACK
from streams.broker.clients import started_producer
from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.chaos.failing import POINTS
from tests.chaos.load import Load
from tests.chaos.proxy import bad_line
from tests.chaos.seconds import SERVICES, dies_at, second
from tests.frozen import freeze, unfreeze
from tests.stack import RunningStack

PROCESSES = ("relay", "projectors", "worker", "command-api", "query-api", "broker", "postgres")
_DEATHS, _WITHIN_SECONDS = 4, 47
"""The supervisor gives up a process that dies five times within 45 seconds: that is not what is tried here."""

_CROWD = 64


class Faults:
    """Picks faults by a seeded generator, so that a run can be repeated as far as moments can."""

    def __init__(self, stack: RunningStack, seed: int, load: Load) -> None:
        self._stack, self._random, self._load = stack, random.Random(seed), load
        self._deaths: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_DEATHS))
        self._not_killed_yet = list(PROCESSES)
        self._not_died_at = list(POINTS)
        for order in (self._not_killed_yet, self._not_died_at):
            self._random.shuffle(order)
        self.kills = 0
        self.done: dict[str, int] = defaultdict(int)

    def pause(self) -> float:
        """Seconds until the next one."""
        return self._random.uniform(0.2, 2.0)

    async def one(self) -> str:
        """Does one and says which: at first one dies at each point, then each is killed once, then they come at random."""
        if self._not_died_at:
            return self._noted(await self._die_at_a_point(self._not_died_at.pop()))
        if self._not_killed_yet:
            return self._noted(await self._kill(self._not_killed_yet.pop()))
        kinds: list[tuple[int, Callable[[], Awaitable[str]]]] = [
            (20, self._kill),
            (3, self._kill_two),
            (2, self._freeze_a_relay),
            (1, self._wipe_the_broker),
            (2, self._hold_a_transaction),
            (2, self._feed_rubbish),
            (4, self._die_at_a_point),
            (3, self._have_a_bad_line),
            (2, self._publish_again),
            (1, self._crowd_a_stream),
        ]
        (chosen,) = self._random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return self._noted(await chosen())

    def _noted(self, name: str) -> str:
        self.done[name.partition(" ")[0]] += 1
        return name

    async def _kill(self, name: str | None = None) -> str:
        name = name or self._random.choice([name for name in PROCESSES if self._may_die(name)])
        with suppress(AssertionError, ProcessLookupError):  # it may be down from the last time
            self._stack.kill(name)
            self._deaths[name].append(time.monotonic())
            self.kills += 1
        return f"kill {name}"

    async def _kill_two(self) -> str:
        names = self._random.sample([name for name in PROCESSES if self._may_die(name)], 2)
        for name in names:
            await self._kill(name)
        return f"kill-two {' and '.join(names)}"

    async def _freeze_a_relay(self) -> str:
        """SIGSTOP past the lease's end, then SIGCONT: a zombie wakes."""
        with suppress(AssertionError, ProcessLookupError):
            pid = self._stack.pid_of("relay")
            freeze(pid)
            await asyncio.sleep(3)
            unfreeze(pid)
        return "freeze relay"

    async def _wipe_the_broker(self) -> str:
        """The broker loses everything; the supervisor must not start it again before that is done."""
        if not self._may_die("broker"):
            return "skip"
        with suppress(AssertionError, ProcessLookupError):
            freeze(self._stack.process.pid)
            try:
                await self._kill("broker")
                await asyncio.sleep(0.2)
                for folder in ("broker", "kafka/logs"):
                    shutil.rmtree(self._stack.data_dir / folder, ignore_errors=True)
            finally:
                unfreeze(self._stack.process.pid)
        return "wipe broker"

    async def _hold_a_transaction(self) -> str:
        """A transaction with a number of its own stays open while others append."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(self._stack.endpoints["postgres"], timeout=5)
            try:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("create temporary table held (id int)")
                await asyncio.sleep(2)
                await transaction.rollback()
            finally:
                connection.terminate()
        return "hold transaction"

    async def _feed_rubbish(self) -> str:
        """Records that are no events and no commands of Caudal's, on topics of both."""
        catalog, settings = (
            installed_catalog(self._stack.endpoints["systems"]),
            Settings(brokers=self._stack.endpoints["brokers"]),
        )
        topics = Topics(settings, catalog)
        with suppress(Exception):
            producer = await started_producer(settings)
            try:
                for context in catalog.contexts:
                    for topic in (topics.events(context), topics.commands(context)):
                        for headers in ([], [("ce_position", b"1")], [("ce_id", b"x"), ("ce_type", b"\xff")]):
                            await producer.send(topic, b"rubbish", b"k", partition=0, headers=headers)
                await producer.flush()
            finally:
                await producer.stop()
        return "feed rubbish"

    async def _die_at_a_point(self, point: str | None = None) -> str:
        """A second process works beside the stack's own, and kills itself between two steps."""
        point = point or self._random.choice(list(POINTS))
        if not await dies_at(self._stack, point, 40):
            return f"miss {point}"
        self.kills += 1
        return f"die-at {point}"

    async def _have_a_bad_line(self) -> str:
        """A second process works beside the stack's own, through a proxy that delays PostgreSQL's answers or loses them."""
        service = self._random.choice(SERVICES)
        port = self._stack.endpoints["ports"]["postgres"]
        async with AsyncExitStack() as both:
            line, there = await both.enter_async_context(bad_line(port, self._random))
            _, own = await both.enter_async_context(second(self._stack, service, there))
            if service == "command-api":
                await both.enter_async_context(self._load.door(f"http://{LOOPBACK}:{own}"))
            await asyncio.sleep(10)
        self.kills += 1
        return f"bad-line {service}, cut {line.cuts} times"

    async def _publish_again(self) -> str:
        """Publishes a part of a log on its topic twice."""
        context = self._random.choice(sorted(installed_catalog(self._stack.endpoints["systems"]).contexts))
        first = self._random.randrange(1, 500)
        some = ("--from", str(first), "--to", str(first + 200))
        await self._stack.caudal("relay", "backfill", str(context), *some, "--apply")
        return f"publish-again {context}"

    async def _crowd_a_stream(self) -> str:
        """Appends to one stream from many writers while one of the stack's processes dies."""
        crowd = asyncio.create_task(self._load.crowd(_CROWD))
        await asyncio.sleep(self._random.uniform(0, 1))
        killed = await self._kill()
        await asyncio.wait_for(crowd, 120)
        return f"crowd of {_CROWD} writers, {killed}"

    def _may_die(self, name: str) -> bool:
        deaths = self._deaths[name]
        return len(deaths) < _DEATHS - 1 or time.monotonic() - deaths[0] > _WITHIN_SECONDS
