"""Memory: the resident size of each of the stack's processes over ten minutes of 100 commands/s, each followed by a query."""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import psutil

from tests.benchmarks.counters import installed_in
from tests.benchmarks.latency import run_program
from tests.benchmarks.results import Result, alone
from tests.stack import running_stack

MINUTES, RATE = 10, 100
MAX_GROWTH = 1.2
PROCESSES = ("command-api", "worker", "relay", "projectors", "query-api")


async def measure_soak() -> list[Result]:
    """Once. The first two minutes fill caches and are not counted."""
    sizes: dict[str, list[int]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="caudal-bench-", ignore_cleanup_errors=True) as name:
        async with running_stack(environment=installed_in(Path(name))) as stack:
            apis = (stack.endpoints["command_api"], stack.endpoints["query_api"])
            for minute in range(1, MINUTES + 1):
                await run_program("following", *apis, str(RATE), "60")
                for process in PROCESSES:
                    sizes[process].append(psutil.Process(stack.pid_of(process)).memory_info().rss)
                shown = ", ".join(f"{process} {found[-1] // 2**20} MiB" for process, found in sizes.items())
                sys.stderr.write(f"minute {minute}: {shown}\n")
    return [
        alone("soak", f"{process}, after {MINUTES} minutes by after 2", "times", [found[-1] / found[1]], MAX_GROWTH, less=True)
        for process, found in sizes.items()
    ]
