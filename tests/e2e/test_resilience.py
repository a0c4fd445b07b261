"""Resilience: when a part of the stack dies, nothing is lost or doubled, and the order is kept."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest

from deploy.local.ports import listens
from tests.chaos.failing import POINTS
from tests.chaos.load import Load
from tests.chaos.run import prove, run_chaos
from tests.chaos.seconds import DOUBLED, second
from tests.chaos.stack import CLOCKS, PROCESSES, chaos_stack
from tests.conftest import eventually
from tests.e2e.test_data_ingestion import complete_record, wait_for
from tests.frozen import freeze, unfreeze
from tests.stack import ONE_SYSTEM, RunningStack, left_over, running_stack
from tests.verify import verify


@pytest.fixture
def data_dir() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="caudal-kept-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
async def recovering() -> AsyncIterator[RunningStack]:
    """A stack for the tests that kill some of its parts and leave it ready."""
    async with running_stack(environment=ONE_SYSTEM) as running:
        yield running


async def ready(stack: RunningStack) -> None:
    async def answers() -> bool:
        code, _, _ = await stack.caudal("status", "--json")
        return code == 0

    await eventually(answers, 30, "the stack's recovery")


async def caught_up(stack: RunningStack, records: int) -> None:
    await wait_for(stack, "faa", records, 90)

    async def no_lag() -> bool:
        rows = await stack.fetch("select sum(position) as s from data_ingestion__ingestion.relay")
        (head,) = await stack.fetch("select position from data_ingestion__ingestion.head")
        return bool(rows[0]["s"] == head["position"])

    await eventually(no_lag, 30, "the relay's cursor at the head")


@pytest.mark.timeout(300)
async def test_killing_each_process_under_load_loses_and_doubles_nothing(request: pytest.FixtureRequest) -> None:
    outcome = await run_chaos(len(PROCESSES) + len(POINTS), seed=5, broker=request.config.getoption("--broker"))

    assert outcome.kills >= len(PROCESSES) + len(POINTS)
    assert outcome.faults["die-at"] >= len(POINTS)
    assert outcome.deliveries > 0
    assert outcome.hot_revisions > 0


_NINETY_DAYS = 90 * 86_400  # longer than receipts, tokens and offsets are kept


async def test_clocks_that_are_wrong_and_are_set_right_lose_and_double_nothing() -> None:
    """The whole stack's, and single processes': ninety days ahead, an hour behind."""
    async with chaos_stack("embedded") as stack, Load(seed=4, pause=0.05) as load:
        if not stack.clocks.can_move:
            pytest.skip("NO LIBFAKETIME: clocks were not moved")
        load.turn_to(stack)
        load.start()
        for seconds, names in (
            (_NINETY_DAYS, CLOCKS),
            (-3600, CLOCKS),
            (_NINETY_DAYS, ("relay",)),
            (3600, ("postgres",)),
            (-3600, ("worker",)),
        ):
            stack.clocks.move(seconds, *names)
            await asyncio.sleep(4)
            stack.clocks.move(0, *names)
            await asyncio.sleep(2)
        await asyncio.wait_for(load.stop(), 60)

        await prove(stack, load.acknowledged)
        assert load.acknowledged.deliveries


async def test_two_of_everything_that_come_and_go_lose_and_double_nothing(tmp_path: Path) -> None:
    file = tmp_path / "some.ndjson"
    file.write_text("".join(f'{{"partner_id": "faa", "payload": {{"n": {n}}}}}\n' for n in range(1500)))
    async with running_stack(environment=ONE_SYSTEM) as stack:
        loading = asyncio.create_task(
            stack.caudal("load", str(file), "--system", "data_ingestion", "--command", "receive-data", "--batch", "20")
        )
        async with AsyncExitStack() as seconds:
            ports = [(await seconds.enter_async_context(second(stack, name)))[1] for name in DOUBLED]

            async def all_listen() -> bool:
                return all(map(listens, ports))

            await eventually(all_listen, 30)
            await asyncio.sleep(4)  # long enough to be given partitions, which are orphaned when they are killed

        code, _, said = await asyncio.wait_for(loading, 150)
        assert code == 0, said
        await caught_up(stack, 1500)
        await verify(stack)


async def test_while_a_part_is_gone_the_others_do_what_they_can(recovering: RunningStack) -> None:
    stack = recovering
    body = {"partner_id": f"p-{uuid4()}", "payload": {"n": 1}}
    await complete_record(stack, (await stack.commands.post("/ingest", json=body)).json()["data_id"])
    supervisor = stack.process.pid

    # Without the supervisor nobody starts a part again.
    freeze(supervisor)
    stack.kill("broker")
    accepted = [await stack.commands.post("/ingest", json={**body, "payload": {"n": n}}) for n in range(20)]
    assert {answer.status_code for answer in accepted} == {201}
    unfreeze(supervisor)
    for answer in accepted:
        await complete_record(stack, answer.json()["data_id"], 60)

    freeze(supervisor)
    stack.kill("postgres")

    # PostgreSQL's sessions outlive its first process by a moment, and may answer meanwhile.
    async def noticed() -> bool:
        answers = await stack.commands.post("/ingest", json=body), await stack.queries.get("/query/all")
        assert {answer.status_code for answer in answers} <= {200, 201, 503}, answers
        return {answer.status_code for answer in answers} == {503}

    await eventually(noticed, 5, "that PostgreSQL is gone")
    rejected = await stack.commands.post("/ingest", json=body)
    unread = await stack.queries.get("/query/all")
    not_ready = await stack.commands.get("/readyz")
    unfreeze(supervisor)
    for answer in (rejected, unread):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert not_ready.status_code == 503
    assert "out of reach" in not_ready.json()["failing"]["log"]

    async def accepts_again() -> bool:
        return (await stack.commands.post("/ingest", json=body)).status_code == 201

    await eventually(accepts_again, 30, "PostgreSQL's return")
    await ready(stack)


async def test_data_survives_a_restart_and_a_lost_broker_is_refilled(data_dir: Path) -> None:
    arguments = ("--data-dir", str(data_dir))
    async with running_stack(*arguments, environment=ONE_SYSTEM) as stack:
        small = data_dir / "some.ndjson"
        small.write_bytes(b"".join(b'{"partner_id": "faa", "payload": {"n": %d}}\n' % (n % 250) for n in range(300)))
        load = ("load", str(small), "--system", "data_ingestion", "--command", "receive-data")
        assert (await stack.caudal(*load))[0] == 0
        await caught_up(stack, 300)
        before = await verify(stack)
        assert await stack.stop() == 0
    assert not (data_dir / "stack.json").exists()

    async with running_stack(*arguments, environment=ONE_SYSTEM) as stack:
        assert await verify(stack) == before
        assert (await stack.caudal(*load))[2].splitlines()[-1] == "0 accepted, 300 there already, 0 failed"
        assert "topic found behind its log" not in stack.log("relay")
    shutil.rmtree(data_dir / "broker")

    async with running_stack(*arguments, environment=ONE_SYSTEM) as stack:

        async def refilled() -> bool:
            try:
                await verify(stack)
            except AssertionError:
                return False
            return True

        await eventually(refilled, 40, "the topics' refill")
        assert "topic found behind its log" in stack.log("relay")
        answer = await stack.commands.post("/ingest", json={"partner_id": "faa", "payload": {"late": True}})
        await complete_record(stack, answer.json()["data_id"])
        await caught_up(stack, 301)
        await verify(stack)


async def test_a_process_in_a_crash_loop_stops_the_stack_with_its_last_words() -> None:
    async with running_stack(environment=ONE_SYSTEM) as stack:
        family = psutil.Process(stack.process.pid).children()
        seen: set[int] = set()

        async def another() -> bool:
            with contextlib.suppress(AssertionError, psutil.NoSuchProcess, httpx.HTTPError):
                pid = stack.pid_of("relay")
                if pid not in seen and (await client.get("/readyz")).status_code == 200:
                    seen.add(pid)
                    await asyncio.sleep(0.5)  # the supervisor sees it as well
                    os.kill(pid, signal.SIGKILL)
            return len(seen) == 5

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{stack.endpoints['ports']['relay']}", verify=False) as client:
            await eventually(another, 60)

        assert await asyncio.wait_for(stack.process.wait(), 20) == 1
        assert stack.process.stderr is not None
        said = (await stack.process.stderr.read()).decode()
        assert "relay died 5 times within 45 s; the last lines of" in said
        assert not left_over(family)


async def test_a_postgresql_that_cannot_start_again_at_once_is_waited_for(recovering: RunningStack) -> None:
    stack = recovering
    server = psutil.Process(stack.pid_of("postgres"))
    held = next(process for process in server.children() if "relay" in process.cmdline()[0])
    held.suspend()  # it keeps the shared memory, without which no successor starts

    server.kill()
    await asyncio.sleep(8)
    assert "pre-existing shared memory block" in stack.log("postgres")
    assert stack.process.returncode is None
    held.kill()

    await ready(stack)


async def test_a_second_stack_on_the_same_data_is_rejected(stack: RunningStack) -> None:
    code, _, said = await stack.caudal("up", "--ports", "auto")

    assert code == 1
    assert "runs already" in said
