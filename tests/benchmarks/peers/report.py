"""The report that a program of this folder prints at its end."""

import json
import statistics
import sys
from collections.abc import Sequence
from typing import Literal

Case = Literal["new", "hot"]
PAYLOAD = json.dumps({"text": "x" * 244})
"""256 bytes of JSON."""


def report(case: str, clients: int, events: int, seconds: float) -> None:
    """One line: how many events in how many seconds."""
    sys.stdout.write(json.dumps({"case": case, "clients": clients, "events": events, "seconds": round(seconds, 3)}) + "\n")


def report_latencies(seconds: Sequence[float]) -> None:
    """One line: the median and the 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    figures = {
        "commands": len(ordered),
        "median_ms": round(statistics.median(ordered) * 1000, 2),
        "p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
