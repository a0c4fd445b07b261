"""Settings of commands: the environment first, then the running stack; what cannot be read is named."""

import os
from pathlib import Path

import pytest
import typer

from deploy.console.connection import read_settings, settings_of, settings_or_stack
from deploy.console.endpoints import STATE_FILE, Endpoints
from schemas.errors import NotFound

PORTS = {"mail": 5006, "relay": 5004}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CAUDAL_"):
            monkeypatch.delenv(name)


@pytest.fixture
def stack(tmp_path: Path) -> Endpoints:
    """A stack that runs from the folder, as this very process."""
    made = Endpoints(
        "http://c", "http://q", "postgresql://here", "b:1", str(tmp_path), "logs", PORTS, os.getpid(), systems=["todo"]
    )
    (tmp_path / STATE_FILE).write_text(made.as_json())
    return made


def test_a_command_finds_the_running_stack(stack: Endpoints, tmp_path: Path) -> None:
    for settings in (settings_of(tmp_path), settings_or_stack(tmp_path)):
        assert (settings.write_dsn, settings.systems) == ("postgresql://here", ["todo"])


def test_the_environment_goes_first(stack: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", "postgresql://there")

    for settings in (settings_of(tmp_path), settings_or_stack(tmp_path)):
        assert settings.write_dsn == "postgresql://there"


def test_without_either_only_what_starts_an_installation_goes_on(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="CAUDAL_WRITE_DSN"):
        settings_of(tmp_path)
    assert settings_or_stack(tmp_path).write_dsn.startswith("postgresql://")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CAUDAL_POOL_SIZE", "many", "CAUDAL_POOL_SIZE"),
        ("CAUDAL_FILE_SOURCES", "https://a", "CAUDAL_FILE_SOURCES is not JSON: set it to JSON"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(typer.Exit) as raised:
        read_settings()

    assert raised.value.exit_code == 2
    assert said in capsys.readouterr().err


def test_a_misspelt_setting_is_a_warning(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CAUDAL_POOLSIZE", "3")

    read_settings()

    assert "CAUDAL_POOLSIZE is not a setting and has no effect: did you mean CAUDAL_POOL_SIZE?" in capsys.readouterr().err
