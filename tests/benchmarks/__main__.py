"""Runs a benchmark and prints its medians, with the machine it ran on."""

import asyncio
from typing import Annotated, Literal

import typer

from tests.benchmarks.results import Result, show


def main(
    bench: Annotated[
        Literal["append", "http", "growth", "load", "relay", "project", "rebuild", "latency", "soak", "overload", "images"],
        typer.Argument(),
    ],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the peers take turns in each.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each case of append and http runs in a round.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one array of rows.")] = False,
) -> None:
    """Measure Caudal beside its peers."""
    show(asyncio.run(_measure(bench, rounds, seconds)), as_json=as_json)


async def _measure(bench: str, rounds: int, seconds: float) -> list[Result]:
    match bench:
        case "append":
            from tests.benchmarks.append import measure_append

            return await measure_append(rounds, seconds)
        case "http":
            from tests.benchmarks.http import measure_http

            return await measure_http(rounds, seconds)
        case "growth":
            from tests.benchmarks.growth import measure_growth

            return await measure_growth(rounds)
        case "relay":
            from tests.benchmarks.relay import measure_relay

            return await measure_relay(rounds)
        case "project":
            from tests.benchmarks.project import measure_project

            return await measure_project(rounds)
        case "rebuild":
            from tests.benchmarks.rebuild import measure_rebuild

            return await measure_rebuild(rounds)
        case "soak":
            from tests.benchmarks.soak import measure_soak

            return await measure_soak()
        case "images":
            from tests.benchmarks.images import measure_images

            return await measure_images()
        case "overload":
            from tests.benchmarks.overload import measure_overload

            return await measure_overload(rounds, seconds)
        case "latency":
            from tests.benchmarks.latency import measure_latency

            return await measure_latency(rounds, seconds)
        case _:
            from tests.benchmarks.load import measure_load

            return await measure_load(rounds)


if __name__ == "__main__":
    typer.run(main)
