"""Faults, each done to a stack that the run has started."""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import psutil

from deploy.local.ports import LOOPBACK
from schemas.errors import Unavailable
from streams.broker.clients import OUTAGES, started_producer, stop_quietly
from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from tests.chaos.failing import POINTS
from tests.chaos.failovers import fail_over, lose_commits, switch_over
from tests.chaos.load import Load
from tests.chaos.proxy import faulty_connection
from tests.chaos.seconds import DOUBLED, dies_at, migrate, second
from tests.chaos.stack import CLOCKS, PROCESSES, SERVICES, SYSTEM, ChaosStack
from tests.conftest import eventually

_DEATHS, _WITHIN_SECONDS = 4, 47
"""The supervisor gives up a process that dies five times within 45 seconds: that is not what is tried here."""

_CROWD = 64
_CLOCK_SECONDS = (5, 70, 3600, 86_400, 90 * 86_400)
"""How far clocks are moved, ahead or behind."""


class Faults:
    """Picks faults by a seeded generator, so that a run can be repeated as far as moments can."""

    def __init__(self, stack: ChaosStack, seed: int, load: Load) -> None:
        self._stack, self._random, self._load = stack, random.Random(seed), load
        self._deaths: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_DEATHS))
        self._not_killed_yet = list(PROCESSES)
        self._not_died_at = list(POINTS)
        self._kinds: list[tuple[int, Callable[[], Awaitable[str]]]] = [
            (20, self._kill),
            (3, self._kill_two),
            (4, self._freeze),
            (1, self._wipe_the_broker),
            (2, self._hold_a_transaction),
            (2, self._send_invalid_records),
            (4, self._die_at_a_point),
            (3, self._have_a_faulty_connection),
            (2, self._publish_again),
            (1, self._crowd_a_stream),
            (4, self._move_a_clock),
            (2, self._move_all_clocks),
            (1, self._switch_over),
            (1, self._fail_over),
            (1, self._lose_commits),
            (1, self._run_an_older_version),
            (1, self._deploy_and_roll_back),
        ]
        self._not_done_yet = [kind for _, kind in self._kinds]
        for order in (self._not_killed_yet, self._not_died_at, self._not_done_yet):
            self._random.shuffle(order)
        self.kills = 0
        self.done: dict[str, int] = defaultdict(int)

    def pause(self) -> float:
        """Seconds until the next one."""
        return self._random.uniform(0.2, 2.0)

    async def one(self) -> str:
        """Does one and says which.

        At first one process dies at each point, then each is killed once, then each kind comes once, then they come at random.
        """
        if self._not_died_at:
            return self._noted(await self._die_at_a_point(self._not_died_at.pop()))
        if self._not_killed_yet:
            return self._noted(await self._kill(self._not_killed_yet.pop()))
        if self._not_done_yet:
            return self._noted(await self._not_done_yet.pop()())
        (chosen,) = self._random.choices([kind for _, kind in self._kinds], [weight for weight, _ in self._kinds])
        return self._noted(await chosen())

    @property
    def count(self) -> int:
        """The number of faults so far; what could not be done does not count."""
        return sum(count for name, count in self.done.items() if name not in ("skip", "miss", "miss:"))

    def _noted(self, name: str) -> str:
        self.done[name.partition(" ")[0]] += 1
        return name

    async def _kill(self, name: str | None = None) -> str:
        name = name or self._random.choice([name for name in PROCESSES if self._may_die(name)])
        try:
            self._stack.kill(name)
        except (AssertionError, ProcessLookupError):
            return f"miss {name}, which is down from the last time"
        self._deaths[name].append(time.monotonic())
        self.kills += 1
        return f"kill {name}"

    async def _kill_two(self) -> str:
        names = self._random.sample([name for name in PROCESSES if self._may_die(name)], 2)
        done = [await self._kill(name) for name in names]
        return f"kill-two: {', '.join(done)}" if all(one.startswith("kill") for one in done) else f"miss: {', '.join(done)}"

    async def _freeze(self) -> str:
        """SIGSTOP, often past a lease's end and past what callers wait, then SIGCONT."""
        name, seconds = self._random.choice(PROCESSES), self._random.uniform(1, 8)
        try:
            async with self._stack.frozen(name):
                await asyncio.sleep(seconds)
        except (AssertionError, ProcessLookupError, psutil.NoSuchProcess):
            return f"miss {name}, which is down from the last time"
        return f"freeze {name} for {seconds:.1f} s"

    async def _wipe_the_broker(self) -> str:
        """The broker loses everything."""
        await self._stack.wipe_broker()
        return "wipe broker"

    async def _move_a_clock(self) -> str:
        return await self._move(self._random.choice(CLOCKS))

    async def _move_all_clocks(self) -> str:
        return await self._move(*CLOCKS)

    async def _move(self, *names: str) -> str:
        """Clocks are wrong for a while, ahead or behind, and are set right."""
        clocks, seconds = self._stack.clocks, self._random.choice(_CLOCK_SECONDS) * self._random.choice((1, -1))
        if not clocks.can_move:
            return "skip clocks: NO LIBFAKETIME"
        clocks.move(seconds, *names)
        await asyncio.sleep(self._random.uniform(2, 10))
        clocks.move(0, *names)
        return f"clock of {names[0] if len(names) == 1 else 'all'} {seconds:+} s"

    async def _switch_over(self) -> str:
        await self._every_service_may_start_over()
        await switch_over(self._stack)
        return "switch-over to the replica"

    async def _fail_over(self) -> str:
        await self._every_service_may_start_over()
        await fail_over(self._stack)
        return "fail-over to the replica"

    async def _lose_commits(self) -> str:
        await self._every_service_may_start_over()
        lost = await lose_commits(self._stack, self._load)
        return f"fail-over-with-loss, recovered: {', '.join(sorted(lost)) or 'nothing that was published'}"

    async def _run_an_older_version(self) -> str:
        async with second(self._stack, "projectors", version="older"):
            await asyncio.sleep(10)
        return "older-version beside"

    async def _deploy_and_roll_back(self) -> str:
        """A newer version is deployed beside the stack's own, which is suspended, and rolled back."""

        async def is_deployed() -> bool:
            return await migrate(self._stack, "newer")

        async def is_rolled_back() -> bool:
            return (await self._stack.caudal("migrate"))[0] == 0

        await eventually(is_deployed, 60, "the newer version's migration")
        async with second(self._stack, "projectors", version="newer"):
            await asyncio.sleep(10)
        await eventually(is_rolled_back, 60, "the migration back")
        return "newer-version, rolled back"

    async def _hold_a_transaction(self) -> str:
        """A transaction with a number of its own stays open while others append."""
        try:
            connection = await asyncpg.connect(self._stack.endpoints["postgres"], timeout=5)
            try:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute("create temporary table held (id int)")
                await asyncio.sleep(2)
                await transaction.rollback()
            finally:
                connection.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return "miss: PostgreSQL is down from the last time"
        return "hold transaction"

    async def _send_invalid_records(self) -> str:
        """Records that are no events and no commands of Caudal's, on topics of both."""
        catalog, settings = installed_catalog(self._stack.endpoints["systems"]), self._stack.settings
        topics = Topics(settings, catalog)
        try:
            producer = await started_producer(settings)
            try:
                for context in catalog.contexts:
                    for topic in (topics.events(context), topics.commands(context)):
                        for headers in ([], [("ce_position", b"1")], [("ce_id", b"x"), ("ce_type", b"\xff")]):
                            await producer.send(topic, b"invalid", b"k", partition=0, headers=headers)
                await producer.flush()
            finally:
                await stop_quietly(producer)
        except (Unavailable, *OUTAGES):
            return "miss: the broker is down from the last time"
        return "invalid-records on every topic"

    async def _die_at_a_point(self, point: str | None = None) -> str:
        """A second process works beside the stack's own, and kills itself between two steps."""
        point = point or self._random.choice(list(POINTS))
        if not await dies_at(self._stack, point, 40):
            return f"miss {point}"
        self.kills += 1
        return f"die-at {point}"

    async def _have_a_faulty_connection(self) -> str:
        """A second process works beside the stack's own, through a proxy that delays PostgreSQL's answers or loses them."""
        service = self._random.choice(DOUBLED)
        port = self._stack.cluster.primary.port
        async with AsyncExitStack() as both:
            connection, there = await both.enter_async_context(faulty_connection(port, self._random))
            _, own = await both.enter_async_context(second(self._stack, service, there))
            if service == "command-api":
                await both.enter_async_context(self._load.door(f"http://{LOOPBACK}:{own}"))
            await asyncio.sleep(10)
        self.kills += 1
        return f"faulty-connection of {service}, cut {connection.cuts} times"

    async def _publish_again(self) -> str:
        """Publishes a part of a log on its topic twice."""
        contexts = installed_catalog([SYSTEM]).contexts
        context = self._random.choice(sorted(context for context in contexts if context.system == SYSTEM))
        first = self._random.randrange(1, 500)
        some = ("--from", str(first), "--to", str(first + 200))
        code, _, said = await self._stack.caudal("relay", "backfill", str(context), *some, "--apply")
        return f"publish-again {context}" if code == 0 else f"miss {context}: {said}"

    async def _crowd_a_stream(self) -> str:
        """Appends to one stream from many writers while one of the stack's processes dies."""
        crowd = asyncio.create_task(self._load.crowd(_CROWD))
        await asyncio.sleep(self._random.uniform(0, 1))
        killed = await self._kill()
        await asyncio.wait_for(crowd, 120)
        return f"crowd of {_CROWD} writers, {killed}"

    async def _every_service_may_start_over(self) -> None:
        """Returns once the end of every service, which starts over at a failover, is not one death too many; counts it."""
        while not all(map(self._may_die, SERVICES)):
            await asyncio.sleep(1)
        for name in SERVICES:
            self._deaths[name].append(time.monotonic())

    def _may_die(self, name: str) -> bool:
        deaths = self._deaths[name]
        return len(deaths) < _DEATHS - 1 or time.monotonic() - deaths[0] > _WITHIN_SECONDS
