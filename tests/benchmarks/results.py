"""Rows of results: medians over the rounds, beside the peer of the same rounds."""

import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """One case: what Caudal reached, what the peer reached in the same rounds, and what was to be reached."""

    bench: str
    case: str
    unit: str
    caudal: float
    peer: float | None = None
    peer_name: str | None = None
    ratio: float | None = None
    """Median over the rounds of Caudal's figure by the peer's."""
    target: float | None = None
    """The goal for the ratio, or for the figure without a peer: a minimum, or a maximum if less is better."""
    met: bool | None = None


def compared(
    bench: str, case: str, unit: str, ours: Sequence[float], theirs: Sequence[float], name: str, target: float | None
) -> Result:
    """A result beside a peer's: the median of the ratios of each round, which drifts less than the rates do."""
    ratio = statistics.median(own / other for own, other in zip(ours, theirs, strict=True))
    met = None if target is None else ratio >= target
    return Result(
        bench,
        case,
        unit,
        _shown(statistics.median(ours)),
        _shown(statistics.median(theirs)),
        name,
        round(ratio, 2),
        target,
        met,
    )


def alone(
    bench: str, case: str, unit: str, ours: Sequence[float], target: float | None = None, *, less: bool = False
) -> Result:
    """A result without a peer; with ``less`` the target is what must not be exceeded."""
    median = statistics.median(ours)
    met = None if target is None else (median <= target if less else median >= target)
    return Result(bench, case, unit, _shown(median), target=target, met=met)


def show(results: Iterable[Result], *, as_json: bool) -> None:
    """Prints results: a table with the machine they were measured on, or one array of JSON."""
    rows = list(results)
    if as_json:
        sys.stdout.write(orjson.dumps([asdict(row) for row in rows]).decode() + "\n")
        return
    columns = ("case", "unit", "caudal", "peer", "peer_name", "ratio", "target", "met")
    table = Table(*columns, title=machine(), title_justify="left")
    for row in rows:
        table.add_row(*("" if (value := getattr(row, name)) is None else str(value) for name in columns))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def machine() -> str:
    """Returns a description of the machine."""
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 2**20 if Path("/proc/meminfo").exists() else "?"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{system}, {os.cpu_count()} cores, {memory} GiB, Python {platform.python_version()}"


def _shown(value: float) -> float:
    return round(value) if value >= 100 else round(value, 2)
