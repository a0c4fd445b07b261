"""`caudal load` of the 3,376 airports on a fresh stack: how many deliveries a second are in the view, complete.

The time runs from the start of the `caudal load` process (its loading included) until the last delivery shows in the view as
ingested, validated and processed. Each delivery is three commands: receive-data over HTTP, validate-data and process-data by
topic.
"""

import asyncio
import time

from vega_datasets import data as vega

from tests.benchmarks.results import Result, alone
from tests.stack import RunningStack, running_stack

DELIVERIES = 3376
COMMANDS_EACH = 3


TARGETS = {"commands handled": 1000}


async def measure_load(rounds: int) -> list[Result]:
    """Rounds on a stack of its own each."""
    measured = [await _round() for _ in range(rounds)]
    return [alone("load", case, "1/s", [one[case] for one in measured], TARGETS.get(case)) for case in measured[0]]


async def _round() -> dict[str, float]:
    async with running_stack() as stack:
        started = time.perf_counter()
        code, _, said = await stack.caudal(
            *("load", str(vega.airports.filepath), "--system", "data_ingestion", "--command", "receive-data"),
            *("--into", "payload", "--set", "partner_id=faa", "--numbers", "latitude,longitude"),
        )
        assert code == 0, said
        accepted = time.perf_counter() - started
        while await _complete(stack) < DELIVERIES:
            await asyncio.sleep(0.05)
        visible = time.perf_counter() - started
    return {
        "deliveries accepted": DELIVERIES / accepted,
        "deliveries in the view": DELIVERIES / visible,
        "commands handled": DELIVERIES * COMMANDS_EACH / visible,
    }


async def _complete(stack: RunningStack) -> int:
    rows = await stack.fetch(
        "select count(*) as n from data_ingestion__ingestion__views.records"
        " where validation_status <> 'pending' and processing_status = 'processed'"
    )
    return int(rows[0]["n"])
