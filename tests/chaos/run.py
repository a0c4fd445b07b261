"""A run: load, faults, rest, proof; again and again until there were enough kills."""

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.faults import Faults
from tests.chaos.load import Load
from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, RunningStack, running_stack
from tests.verify import verify

_FAULTS_A_ROUND = 12


@dataclass(slots=True)
class Outcome:
    """The results of a run that lost, doubled and reordered nothing."""

    kills: int = 0
    rounds: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    hot_revisions: int = 0
    attempts: int = 0
    events: int = 0
    seconds: float = 0.0


async def run_chaos(kills: int, seed: int, broker: str, pause: float = 0.05) -> Outcome:
    """Runs until so many processes were killed. Fails if the proof fails or the stack does not recover."""
    outcome, started = Outcome(), time.monotonic()
    environment = {"CAUDAL_RELAY_LEASE_SECONDS": "2", "CAUDAL_STALL_SECONDS": "2", **ONE_SYSTEM}
    async with running_stack("--ephemeral", "--broker", broker, environment=environment) as stack:
        load = Load(stack, seed, pause)
        faults, acknowledged = Faults(stack, seed, load), load.acknowledged
        while faults.kills < kills:
            load.start()
            for _ in range(_FAULTS_A_ROUND):
                await asyncio.sleep(faults.pause())
                say(f"{faults.kills:4} kills  {await faults.one()}")
                if faults.kills >= kills:
                    break
            await asyncio.wait_for(load.stop(), 120)
            outcome.rounds += 1
            outcome.events = await prove(stack, acknowledged.deliveries, acknowledged.revisions)
            counted = (
                f"{len(acknowledged.deliveries)} deliveries, {len(acknowledged.revisions)} revisions, {outcome.events} events"
            )
            say(f"round {outcome.rounds}: {counted}: whole")
        outcome.kills, outcome.faults = faults.kills, dict(faults.done)
    outcome.deliveries, outcome.hot_revisions, outcome.attempts = (
        len(acknowledged.deliveries),
        len(acknowledged.revisions),
        acknowledged.attempts,
    )
    outcome.seconds = round(time.monotonic() - started)
    return outcome


async def prove(stack: RunningStack, deliveries: dict[str, str], revisions: set[int]) -> int:
    """Waits until all subscriptions are up to date. Then checks each acknowledged write, and runs `caudal verify`.

    No event may be parked: the projections can apply every event of the load.
    """

    status = ""

    async def caught_up() -> bool:
        nonlocal status
        code, status, _ = await stack.caudal("status", "--json")
        return code == 0 and not lagging(status)

    async def is_whole() -> bool:
        return (await stack.caudal("verify", "--json"))[0] == 0

    try:
        await eventually(caught_up, 120, "the stack's recovery")
    except AssertionError as error:
        raise AssertionError(f"{error}: {status}, logs in {kept_logs(stack)}") from error
    await eventually(is_whole, 60, "a clean `caudal verify`")  # a broker that was wiped is still being filled
    logs = await verify(stack)
    by_context = {context.context: rows for context, rows in logs.items()}
    received = [row.stream for row in by_context["ingestion"] if row.type == "DataReceived"]
    wanted = {f"delivery-{data_id}" for data_id in deliveries.values()}
    assert wanted <= set(received), "a delivery that was acknowledged is lost"
    assert len(received) == len(set(received)) == len(wanted), "a delivery is there that nobody sent, or twice"
    hot = [row.version for row in by_context["validation"] if row.stream == "rulebook-hot"]
    assert set(hot) == revisions, "the hot stream has other versions than were acknowledged"
    for name, event in (("validation", "DataValidated"), ("processing", "DataProcessed")):
        done = [row for row in by_context[name] if row.type == event]
        assert len(done) == len(wanted), f"{event} for {len(done)} of {len(wanted)} deliveries"
    return sum(len(rows) for rows in logs.values())


def kept_logs(stack: RunningStack) -> Path:
    """A copy of the logs of a stack, whose own folder goes with it."""
    return Path(shutil.copytree(stack.data_dir / "logs", tempfile.mkdtemp(prefix="caudal-chaos-"), dirs_exist_ok=True))


def lagging(status: str) -> bool:
    """Returns whether a log is not relayed to its head, or a subscription is behind or has dead letters."""
    report = orjson.loads(status)
    behind = any(s["lag"] or s["dead_letters"] for s in report["subscriptions"])
    return behind or any(log["head"] != log["relayed"] for log in report["logs"])


def say(what: str) -> None:
    sys.stderr.write(what + "\n")
    sys.stderr.flush()
