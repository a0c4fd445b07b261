"""Overload: an open-loop sender at a share of the capacity, which a closed loop of 32 clients finds first."""

import statistics
import sys
from collections import defaultdict

from tests.benchmarks.latency import run_program
from tests.benchmarks.results import Result, alone
from tests.stack import ONE_SYSTEM, running_stack

SHARES = (0.5, 0.8, 1.0, 1.5, 3.0)
P99_MS = 1000.0


async def measure_overload(rounds: int, seconds: float) -> list[Result]:
    """Each share for some seconds, in so many rounds; goodput is what is accepted, as a share of the capacity."""
    goodput: dict[float, list[float]] = defaultdict(list)
    p99: dict[float, list[float]] = defaultdict(list)
    failed = 0.0
    async with running_stack(environment=ONE_SYSTEM) as stack:
        api = stack.endpoints["command_api"]
        await run_program("open_loop", api, "0", str(seconds))
        for number in range(rounds):
            capacity = (await run_program("open_loop", api, "0", str(seconds)))["accepted_per_second"]
            for share in SHARES:
                report = await run_program("open_loop", api, str(capacity * share), str(seconds))
                goodput[share].append(report["accepted_per_second"] / capacity)
                p99[share].append(report["p99_ms"])
                failed += report["failed"]
            sys.stderr.write(f"round {number + 1} of {rounds}\n")
    rows = []
    for share in SHARES:
        wanted = round(min(share, 1.0) * 0.9, 2)
        rows.append(alone("overload", f"{share:g} of capacity, accepted", "of capacity", goodput[share], wanted))
        rows.append(alone("overload", f"{share:g} of capacity, 99th of accepted", "ms", p99[share], P99_MS, less=True))
    rows.append(alone("overload", "neither accepted nor 503", "requests", [statistics.fmean([failed])], 0.0, less=True))
    return rows
