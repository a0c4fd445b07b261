"""The quality scenarios of health_subscriptions at full size: images that processors share, and sagas that are killed.

A thousand clients begin within a minute, with four requests each; two hundred sagas run, 32 at a time.
"""

import sys

from tests.benchmarks.results import Result, alone
from tests.scenarios.integrity_between_services import end_sagas
from tests.scenarios.load_over_processors import ADDED, IN_TIME_SECONDS, WORKERS, Load, Outcome, running_processors, shown

LOAD = Load(clients=1000, seconds=60)
SAGAS, SIDE_BY_SIDE = 200, 32


async def measure_images() -> list[Result]:
    """Once each; every figure is one of the scenario's bounds. Fails unless all sagas end consistently, each notified once."""
    async with running_processors() as processors:
        calm = await processors.under(LOAD)
        sys.stderr.write(f"nothing fails: {shown(calm)}\n")
        killed = await processors.under(LOAD, processors.kill_a_worker_and_a_command_api)
        sys.stderr.write(f"a worker and a command API are killed: {shown(killed)}\n")
        added = await processors.under(LOAD, processors.add_a_worker)
        sys.stderr.write(f"a worker is added: {shown(added)}\n")
    ended = await end_sagas(SAGAS, SIDE_BY_SIDE)
    return [
        *_answers("nothing fails", calm),
        _less("nothing fails, last image after the last answer", "s", calm.after_last_answer, 10),
        *(_at_least(f"nothing fails, share of {name}", "of images", calm.shares[name], 0.15) for name in WORKERS),
        *(_less(f"nothing fails, share of {name}, at most", "of images", calm.shares[name], 0.55) for name in WORKERS),
        *(_less(f"nothing fails, {name}", "of a core", calm.busy[name], 0.75) for name in WORKERS),
        *_answers("two are killed", killed),
        _less("two are killed, slowest image", "s", killed.longest, 15),
        *_answers("one is added", added),
        _at_least("one is added, share of it", "of images", added.shares[ADDED], 0.01),
        _at_least("sagas that failed, simulated", "of sagas", ended["failed"] / SAGAS, 0.35),
        _less("sagas that failed, simulated, at most", "of sagas", ended["failed"] / SAGAS, 0.55),
    ]


def _answers(case: str, outcome: Outcome) -> list[Result]:
    share = outcome.in_time / outcome.sent
    return [
        _at_least(f"{case}, accepted within {IN_TIME_SECONDS:g} s", "of requests", share, 0.999),
        _less(f"{case}, other answers", "requests", len(outcome.others), 0),
        _less(f"{case}, images lost or doubled", "images", outcome.lost + outcome.doubled, 0),
    ]


def _at_least(case: str, unit: str, figure: float, bound: float) -> Result:
    return alone("images", case, unit, [figure], bound)


def _less(case: str, unit: str, figure: float, bound: float) -> Result:
    return alone("images", case, unit, [figure], bound, less=True)
