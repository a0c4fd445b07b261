"""The supervisor, with small processes of the test's own."""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.process import ProcessSpec
from deploy.local.supervisor import CrashLoop, ReadyTimeout, Supervised, rotate
from schemas.errors import Unavailable

SLEEPS = "import time; time.sleep(60)"


def spec(tmp_path: Path, program: str) -> ProcessSpec:
    async def why_not_ready() -> str | None:
        return None if (tmp_path / "started").exists() else "it has not started"

    mark = f"import pathlib; pathlib.Path({str(tmp_path / 'started')!r}).touch(); "
    return ProcessSpec(
        name="it", command=(sys.executable, "-c", mark + program), log=tmp_path / "it.log", why_not_ready=why_not_ready
    )


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    supervised = Supervised(spec(tmp_path, SLEEPS))
    await supervised.start()
    keeping = asyncio.create_task(supervised.keep())
    first = supervised.process
    assert first is not None
    first.kill()

    while supervised.pid in (None, first.pid):
        await asyncio.sleep(0.02)

    assert supervised.restarts == 1
    await supervised.stop()
    await keeping
    assert supervised.pid is None


async def test_a_process_in_a_crash_loop_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.supervisor._PAUSES", (0.0,) * 5)
    supervised = Supervised(spec(tmp_path, "raise SystemExit('no such thing')"))
    await supervised.start()

    with pytest.raises(CrashLoop, match="died 5 times") as caught:
        await supervised.keep()

    assert "no such thing" in caught.value.detail


async def test_one_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor.STOP_SECONDS", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    supervised = Supervised(spec(tmp_path, deaf))
    await supervised.start()
    await asyncio.sleep(0.3)

    await supervised.stop()

    assert supervised.process is not None
    assert supervised.process.returncode == -9


async def test_the_time_to_be_ready_counts_from_when_what_it_needs_is_there(tmp_path: Path) -> None:
    supervised = Supervised(waiting(tmp_path, "it waits"), ReadyTimeout(0.2))
    needs = asyncio.Event()
    starting = asyncio.create_task(supervised.start(needs))

    await asyncio.sleep(0.6)
    assert not starting.done(), "it may wait for as long as its servers take"
    needs.set()

    with pytest.raises(
        Unavailable, match=r"it made no progress for 0.2 s: it waits; on a slow .* CAUDAL_READY_SECONDS=0.8"
    ) as raised:
        await starting
    assert "the last lines of" in raised.value.detail
    await supervised.stop()


async def test_a_process_that_makes_progress_is_waited_for(tmp_path: Path) -> None:
    supervised = Supervised(waiting(tmp_path, "one", "two", "three", "four", None, seconds=0.3), ReadyTimeout(0.5))

    await supervised.start()

    assert supervised.pid is not None
    await supervised.stop()


async def test_the_log_of_a_server_shows_its_progress(tmp_path: Path) -> None:
    recovers = waiting(tmp_path, *["it recovers"] * 4, None, seconds=0.3)
    program = "import time\nfor n in range(100): print(n, flush=True); time.sleep(0.1)"
    command = (sys.executable, "-c", program)

    supervised = Supervised(replace(recovers, command=command, logs_its_start=True), ReadyTimeout(0.8))
    await supervised.start()
    await supervised.stop()

    quiet = Supervised(waiting(tmp_path, *["it recovers"] * 4, None, seconds=0.3), ReadyTimeout(0.8))
    with pytest.raises(Unavailable, match=r"no progress for 0.8 s: it recovers"):
        await quiet.start()
    await quiet.stop()


async def test_there_is_an_end_to_progress(tmp_path: Path) -> None:
    supervised = Supervised(waiting(tmp_path, *map(str, range(1000)), seconds=0.02), ReadyTimeout(10, 0.4))

    with pytest.raises(Unavailable, match=r"it was not ready within 0.4 s: \d+; .* CAUDAL_MAX_READY_SECONDS=1.6"):
        await supervised.start()

    await supervised.stop()


async def test_a_server_that_cannot_start_at_once_is_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "passed"
    program = f"import pathlib, sys, time; pathlib.Path({str(mark)!r}).exists() or sys.exit(1); time.sleep(60)"

    async def why_not_ready() -> str | None:
        return None if mark.exists() else "it does not listen"

    server = ProcessSpec(
        name="it",
        command=(sys.executable, "-c", program),
        log=tmp_path / "log",
        why_not_ready=why_not_ready,
        may_fail_to_start=True,
    )
    starting = asyncio.create_task((supervised := Supervised(server)).start())
    await asyncio.sleep(0.5)
    mark.touch()
    await starting
    await supervised.stop()

    mark.unlink()
    with pytest.raises(CrashLoop, match="it died while it started"):
        await Supervised(replace(server, may_fail_to_start=False)).start()
    with pytest.raises(Unavailable, match=r"no progress for 0.3 s: it does not listen"):
        await Supervised(server, ReadyTimeout(0.3)).start()


async def test_only_deaths_of_what_was_ready_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor._PAUSES", (0.0,) * 5)
    ready, dies = tmp_path / "started", tmp_path / "dies"
    program = f"import pathlib, sys, time; pathlib.Path({str(dies)!r}).exists() and sys.exit(1); time.sleep(60)"
    ready.touch()
    supervised = Supervised(replace(spec(tmp_path, ""), command=(sys.executable, "-c", program)))
    await supervised.start()
    keeping = asyncio.create_task(supervised.keep())

    ready.unlink()
    dies.touch()
    assert supervised.process is not None
    supervised.process.kill()
    while supervised.restarts < 8:
        assert not keeping.done(), "eight deaths, and none of what was ready"
        await asyncio.sleep(0.02)
    dies.unlink()
    ready.touch()

    await asyncio.sleep(0.3)
    assert not keeping.done()
    await supervised.stop()
    await keeping


async def test_a_process_that_stays_down_is_given_up_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor._PAUSES", (0.0,) * 5)
    ready = tmp_path / "started"
    ready.touch()
    supervised = Supervised(
        replace(spec(tmp_path, ""), command=(sys.executable, "-c", "exit('no space')")), ReadyTimeout(60, 0.5)
    )
    await supervised.start()
    ready.unlink()

    with pytest.raises(
        CrashLoop, match=r"could not be started again within 0.5 s; remove the cause .* no data is lost"
    ) as caught:
        await supervised.keep()

    assert "no space" in caught.value.detail


async def test_a_large_log_is_rotated_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor.MAX_LOG_BYTES", 10)
    log = tmp_path / "it.log"
    for content in ("small", "a large one", "a larger one"):
        log.write_text(content)
        rotate(log)

    assert not log.exists()
    assert (tmp_path / "it.log.1").read_text() == "a larger one"


def waiting(tmp_path: Path, *reasons: str | None, seconds: float = 0.0) -> ProcessSpec:
    """A process that has these reasons not to be ready, each for some seconds, and the last one for ever."""
    began: list[float] = []

    async def why_not_ready() -> str | None:
        began.append(time.monotonic())
        passed = (began[-1] - began[0]) / seconds if seconds else 0
        return reasons[min(int(passed), len(reasons) - 1)]

    return ProcessSpec(name="it", command=(sys.executable, "-c", SLEEPS), log=tmp_path / "it.log", why_not_ready=why_not_ready)
