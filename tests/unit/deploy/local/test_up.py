"""`caudal up`: what it says when it stops."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deploy.local import up
from deploy.local.up import StackOptions, run_stack
from streams.settings import Settings


class StoppedStack:
    """A stack that gets Ctrl-C while it starts."""

    processes = ("postgres",)

    def __init__(self, *_: object) -> None:
        pass

    async def start(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    async def stop(self) -> None:
        pass


@pytest.mark.parametrize(
    ("is_ephemeral", "as_json", "said"),
    [
        (False, False, ["Stopping …", "Stopped; the data stays in {folder}"]),
        (True, False, ["Stopping …"]),
        (False, True, []),
    ],
)
async def test_a_stack_that_is_stopped_says_where_its_data_stay(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_ephemeral: bool,
    as_json: bool,
    said: list[str],
) -> None:
    monkeypatch.setattr(up, "Stack", StoppedStack)
    monkeypatch.setattr(os, "umask", lambda _: 0)
    folder = tmp_path / "data"
    data_dir = None if is_ephemeral else folder
    options = StackOptions(data_dir=data_dir, broker="embedded", automatic_ports=True, as_json=as_json, with_tokens=False)

    try:
        assert await run_stack(options, Settings()) == 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)

    assert capsys.readouterr().err.splitlines() == [line.format(folder=folder) for line in said]
