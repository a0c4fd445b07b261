"""The supervisor, with small processes of the test's own."""

import asyncio
import sys
from pathlib import Path

import pytest

from deploy.local.process import ProcessSpec
from deploy.local.supervisor import CrashLoop, Supervised, rotate
from schemas.errors import Unavailable


def spec(tmp_path: Path, program: str) -> ProcessSpec:
    async def ready() -> bool:
        return (tmp_path / "started").exists()

    mark = f"import pathlib; pathlib.Path({str(tmp_path / 'started')!r}).touch(); "
    return ProcessSpec(name="it", command=(sys.executable, "-c", mark + program), log=tmp_path / "it.log", ready=ready)


async def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    supervised = Supervised(spec(tmp_path, "import time; time.sleep(60)"))
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
    supervised = Supervised(slow(tmp_path))
    needs = asyncio.Event()
    starting = asyncio.create_task(supervised.start(0.2, needs))

    await asyncio.sleep(0.6)
    assert not starting.done(), "it may wait for as long as its servers take"
    needs.set()

    with pytest.raises(Unavailable, match=r"it was not ready within 0.2 s; on a slow .* CAUDAL_READY_SECONDS=0.8") as raised:
        await starting
    assert "the last lines of" in raised.value.detail
    await supervised.stop()


async def test_a_large_log_is_rotated_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.supervisor.MAX_LOG_BYTES", 10)
    log = tmp_path / "it.log"
    for content in ("small", "a large one", "a larger one"):
        log.write_text(content)
        rotate(log)

    assert not log.exists()
    assert (tmp_path / "it.log.1").read_text() == "a larger one"


def slow(tmp_path: Path) -> ProcessSpec:
    """A process that never becomes ready."""

    async def ready() -> bool:
        return False

    return ProcessSpec(
        name="it", command=(sys.executable, "-c", "import time; time.sleep(60)"), log=tmp_path / "it.log", ready=ready
    )
