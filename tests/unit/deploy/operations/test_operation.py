"""Operations: what is recorded of a run, and when."""

import asyncio

import pytest

from deploy.operations.run import Result
from schemas.engine.operations import BeginOperation, EndOperation
from schemas.errors import Rejected, Unavailable
from tests.unit.deploy.operations.runs import COUNT, INSTALLATION, ONE, Count, FakeIssuer, Said, journal

BEGIN = BeginOperation(run_id=ONE, operation="numbers/count", parameters={"to": 3}, reason="why", before={"at": 0})


async def test_a_run_is_recorded_before_it_changes_something_and_when_it_ends() -> None:
    issuer, said = FakeIssuer(), Said()

    result = await COUNT.run(ONE, Count(secret="x"), INSTALLATION, said, journal(issuer))

    end = EndOperation(run_id=ONE, outcome="done", after={"at": 3})
    assert issuer.recorded == [(BEGIN, "ana"), (end, "ana")]
    assert result == Result(None, {"at": 3}, ["answer"])
    assert said.lines == [("It counts to 3.", "plain"), ("Done.", "good")]
    assert said.progress[-1] == ("counting", 3, 3, "numbers")
    assert COUNT.summary == "Counts. It is an example."


async def test_a_run_that_is_only_tried_says_what_it_would_do_and_is_not_recorded() -> None:
    said = Said()

    result = await COUNT.run(ONE, Count(), INSTALLATION, said, None)

    assert (result.is_planned, result.after) == (True, {"at": 3})
    assert said.lines == [("It counts to 3.", "plain")]


async def test_what_remains_is_recorded() -> None:
    issuer = FakeIssuer()

    await COUNT.run(ONE, Count(to=13), INSTALLATION, Said(), journal(issuer))

    end = issuer.recorded[-1][0]
    assert isinstance(end, EndOperation)
    assert (end.outcome, end.problem) == ("incomplete", "a number is missing")


@pytest.mark.parametrize(
    ("to", "error", "recorded"),
    [(-1, Rejected, []), (101, RuntimeError, [("failed", "too far")])],
    ids=["before it begins", "after it has begun"],
)
async def test_an_error_is_recorded_if_something_may_have_changed(
    to: int, error: type[Exception], recorded: list[tuple[str, str]]
) -> None:
    issuer = FakeIssuer()

    with pytest.raises(error):
        await COUNT.run(ONE, Count(to=to), INSTALLATION, Said(), journal(issuer))

    ends = [command for command, _ in issuer.recorded if isinstance(command, EndOperation)]
    assert [(end.outcome, end.problem) for end in ends] == recorded


async def test_an_interrupted_run_is_recorded_as_such() -> None:
    issuer = FakeIssuer()
    operation = type(COUNT)("numbers/wait", Count, _wait)
    task = asyncio.create_task(operation.run(ONE, Count(), INSTALLATION, Said(), journal(issuer)))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    end = issuer.recorded[-1][0]
    assert isinstance(end, EndOperation)
    assert (end.outcome, end.problem) == ("failed", "interrupted")


async def _wait(run: object, _: Count) -> Result:
    await run.begin()  # type: ignore[attr-defined]
    await asyncio.Event().wait()
    return Result()


async def test_nothing_is_done_that_cannot_be_recorded() -> None:
    said = Said()

    with pytest.raises(Unavailable):
        await COUNT.run(ONE, Count(), INSTALLATION, said, journal(FakeIssuer(out_of_reach_for=BeginOperation)))

    assert said.progress == []


async def test_an_end_that_cannot_be_recorded_is_said() -> None:
    said = Said()

    result = await COUNT.run(ONE, Count(), INSTALLATION, said, journal(FakeIssuer(out_of_reach_for=EndOperation)))

    assert result.remaining is None
    assert said.lines[-1] == (
        "The end of this operation could not be recorded: the database is out of reach", "warning",
    )  # fmt: skip
