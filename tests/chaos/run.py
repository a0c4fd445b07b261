"""A run: load, faults, rest, proof; again and again until there were enough faults."""

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.faults import Faults
from tests.chaos.load import Acknowledged, Load
from tests.chaos.stack import SERVICES, chaos_stack
from tests.conftest import eventually
from tests.stack import Stack
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
    lost_and_sent_again: int = 0
    events: int = 0
    seconds: float = 0.0


async def run_chaos(count: int, seed: int, broker: str, pause: float = 0.05) -> Outcome:
    """Runs until there were so many faults. Fails if the proof fails or the stack does not recover."""
    outcome, started = Outcome(), time.monotonic()
    async with chaos_stack(broker) as stack, Load(seed, pause) as load:
        load.turn_to(stack)
        faults, acknowledged = Faults(stack, seed, load), load.acknowledged
        while faults.count < count:
            load.start()
            for _ in range(_FAULTS_A_ROUND):
                await asyncio.sleep(faults.pause())
                done = await faults.one()
                say(f"{time.monotonic() - started:6.0f} s  {faults.count:4}  {done}")
                stack.check()
                if faults.count >= count:
                    break
            await asyncio.wait_for(load.stop(), 120)
            outcome.rounds += 1
            outcome.events = await prove(stack, acknowledged)
            counted = (
                f"{len(acknowledged.deliveries)} deliveries, {len(acknowledged.revisions)} revisions, {outcome.events} events"
            )
            say(f"round {outcome.rounds}: {counted}: whole")
        outcome.kills, outcome.faults = faults.kills, dict(faults.done)
    outcome.deliveries, outcome.hot_revisions = len(acknowledged.deliveries), len(acknowledged.revisions)
    outcome.attempts, outcome.lost_and_sent_again = acknowledged.attempts, len(acknowledged.lost)
    outcome.seconds = round(time.monotonic() - started)
    return outcome


async def prove(stack: Stack, acknowledged: Acknowledged) -> int:
    """Waits until all subscriptions are up to date. Then checks each acknowledged write, and runs `caudal verify`.

    No event and no command may be parked: the projections can apply every event of the load, and no process dies of a command.
    """

    status = ""

    async def caught_up() -> bool:
        nonlocal status
        said = {name: await stack.why_not_ready(name) for name in SERVICES}
        code, status, _ = await stack.caudal("status", "--json")
        behind = code != 0 or lagging(status)
        status += f" {said}"
        return not behind and not any(said.values())

    async def is_whole() -> bool:
        nonlocal status
        code, out, err = await stack.caudal("verify", "--json")
        status = out + err
        return code == 0

    try:
        await eventually(caught_up, 120, "the stack's recovery")
        await eventually(is_whole, 60, "a clean `caudal verify`")  # a broker that was wiped is still being filled
    except AssertionError as error:
        raise AssertionError(f"{error}: {status}, logs in {kept_logs(stack)}") from error
    said = (stack.data_dir / "logs" / "worker.log").read_text(errors="replace").splitlines()
    deadly = [line for line in said if "record parked" in line and "ProcessDied" in line]
    assert not deadly, f"commands were parked as deadly: {deadly}"
    logs = await verify(stack)
    by_context = {context.context: rows for context, rows in logs.items()}
    received = [row.stream for row in by_context["ingestion"] if row.type == "DataReceived"]
    ids = set(acknowledged.deliveries.values())
    wanted = {f"delivery-{data_id}" for data_id in ids}
    assert wanted <= set(received), f"deliveries that were acknowledged are lost: {sorted(wanted - set(received))}"
    assert len(received) == len(set(received)) == len(wanted), "a delivery is there that nobody sent, or twice"
    hot = [row.version for row in by_context["validation"] if row.stream == "rulebook-hot"]
    assert set(hot) == acknowledged.revisions, "the hot stream has other versions than were acknowledged"
    for name, event in (("validation", "DataValidated"), ("processing", "DataProcessed")):
        done = [orjson.loads(row.data)["data_id"] for row in by_context[name] if row.type == event]
        assert len(done) == len(set(done)), f"a delivery has {event} twice"
        # Commands of deliveries that a failover lost may have been on a topic already.
        others = sorted((set(done) - acknowledged.lost) ^ ids)
        assert not others, f"{event} is missing, or is for deliveries that nobody acknowledged: {others}"
    return sum(len(rows) for rows in logs.values())


def kept_logs(stack: Stack) -> Path:
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
