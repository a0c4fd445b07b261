"""Logs: one form for every process, no secrets, and no floods while something is down."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from streams.telemetry import logging as telemetry


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configuration)


def fail(password: str) -> None:
    raise ConnectionError("rejected")


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_traceback_does_not_show_the_values_of_variables(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging(format, "info")  # type: ignore[arg-type]

    try:
        fail("gehe" + "im")
    except ConnectionError:
        logging.getLogger("any").exception("it failed")

    said = capsys.readouterr().err
    assert "ConnectionError: rejected" in said
    assert "geheim" not in said


def test_a_line_that_a_driver_repeats_is_logged_once_and_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.configure_logging("text", "info")
    for n in range(20):
        try:
            fail("")
        except ConnectionError:
            logging.getLogger("asyncpg.pool").warning("cannot connect, attempt %s", n, exc_info=True)
        logging.getLogger("aiokafka").error("no node %s", n)
        logging.getLogger("streams.relay.relay").warning("relay interrupted")

    lines = capsys.readouterr().err.splitlines()
    assert len([line for line in lines if "relay interrupted" in line]) == 20
    assert [line for line in lines if "no node" in line] == [line for line in lines if "no node 0" in line]
    (logged,) = [line for line in lines if "cannot connect" in line]
    assert "attempt 0: ConnectionError('rejected')" in logged
    assert len(lines) == 22

    monkeypatch.setattr(telemetry, "_REPEAT_SECONDS", 0.0)
    logging.getLogger("aiokafka").error("no node %s", 21)
    assert "no node 21" in capsys.readouterr().err


def test_loggers_whose_names_only_begin_like_a_drivers_are_not_throttled(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging("text", "info")

    for _ in range(3):
        logging.getLogger("models.tasks").warning("a task is late")

    assert capsys.readouterr().err.count("a task is late") == 3
