"""Runs a benchmark and prints its medians, with the machine it ran on."""

import asyncio
import os
import platform
import statistics
import sys
from typing import Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.table import Table

from tests.benchmarks.load import measure_load

TARGETS = {"commands handled": 1000}


def main(
    bench: Annotated[Literal["load"], typer.Argument()],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, each on a stack of its own.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one array of rows.")] = False,
) -> None:
    """Measure the whole way of a command, from `caudal load` to the view."""
    results = [asyncio.run(measure_load()) for _ in range(rounds)]
    rows = [_row(bench, case, statistics.median(result[case] for result in results)) for case in results[0]]
    if as_json:
        sys.stdout.write(orjson.dumps(rows).decode() + "\n")
        return
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = Table("case", "median of the rounds", "unit", "target", "met", title=machine, title_justify="left")
    for row in rows:
        table.add_row(*("" if row[name] is None else str(row[name]) for name in ("case", "caudal", "unit", "target", "met")))
    Console().print(table)


def _row(bench: str, case: str, median: float) -> dict[str, Any]:
    target = TARGETS.get(case)
    met = None if target is None else median >= target
    return {"bench": bench, "case": case, "unit": "1/s", "caudal": round(median), "target": target, "met": met}


if __name__ == "__main__":
    typer.run(main)
