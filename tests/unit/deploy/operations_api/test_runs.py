"""Runs: each goes on by itself, is read while it runs and for a while after, and ends with its process."""

import asyncio
from typing import Any, cast

import pytest

from deploy.operations.run import Result, Run
from deploy.operations_api import runs as module
from deploy.operations_api.runs import Runs
from schemas.engine.operations import EndOperation
from schemas.errors import NotFound, Overloaded, Rejected
from tests.unit.deploy.operations.runs import COUNT, INSTALLATION, Count, FakeIssuer


class Bench:
    """Runs with an issuer that keeps what is recorded."""

    def __init__(self) -> None:
        self.issuer = FakeIssuer()
        self.runs = Runs(INSTALLATION, cast(Any, self.issuer))

    def start(self, parameters: Count, operation: Any = COUNT, *, apply: bool = True) -> module.LiveRun:
        return self.runs.start(operation, parameters, "ana", "why", apply=apply)


async def test_a_run_is_kept_when_it_has_ended() -> None:
    bench = Bench()
    run = bench.start(Count(secret="x"))
    await run.wait(1)

    content = bench.runs.of(run.content.id).content
    assert (content.state, content.actor, content.reason, content.parameters) == ("done", "ana", "why", {"to": 3})
    assert content.answer == ["answer"]
    with pytest.raises(NotFound):
        bench.runs.of("another")


async def test_a_run_that_is_only_tried_is_planned() -> None:
    run = Bench().start(Count(), apply=False)
    await run.wait(1)

    assert (run.content.state, run.content.is_applied) == ("planned", False)


async def test_a_rejection_is_kept_for_its_answer_and_a_fault_is_not_shown() -> None:
    bench = Bench()
    rejected, faulty = bench.start(Count(to=-1)), bench.start(Count(to=101))
    await rejected.wait(1)
    await faulty.wait(1)

    assert isinstance(rejected.error, Rejected)
    assert (faulty.error, faulty.content.state) == (None, "failed")
    assert "too far" not in str(faulty.content.problem)


async def test_each_change_is_followed_until_the_end() -> None:
    run = Bench().start(Count())

    states = [content.state async for content in run.changes()]

    assert states[0] == "running"
    assert states[-1] == "done"


async def test_the_end_is_not_missed_by_a_reader_that_is_slow() -> None:
    run = Bench().start(Count())
    states = []

    async for content in run.changes():
        states.append(content.state)
        await asyncio.sleep(0.05)

    assert states == ["running", "done"]


async def _wait(run: Run, _: Count) -> Result:
    await run.begin()
    await asyncio.Event().wait()
    return Result()


WAIT = type(COUNT)("numbers/wait", Count, _wait)


async def test_too_many_runs_are_rejected() -> None:
    bench = Bench()
    for _ in range(module._MAX_RUNNING):
        bench.start(Count(), WAIT)

    with pytest.raises(Overloaded):
        bench.start(Count())
    await bench.runs.close()


async def test_the_end_of_the_process_interrupts_what_runs_and_records_it() -> None:
    bench = Bench()
    run = bench.start(Count(), WAIT)
    await asyncio.sleep(0)

    await bench.runs.close()

    end = bench.issuer.recorded[-1][0]
    assert isinstance(end, EndOperation)
    assert (end.outcome, run.content.state) == ("failed", "failed")


async def test_runs_that_ended_first_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_KEPT", 2)
    bench = Bench()
    ended = []
    for _ in range(3):
        ended.append(run := bench.start(Count(), apply=False))
        await run.wait(1)

    with pytest.raises(NotFound):
        bench.runs.of(ended[0].content.id)
    assert bench.runs.of(ended[2].content.id) is ended[2]
