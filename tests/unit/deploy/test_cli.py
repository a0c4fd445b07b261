"""The `caudal` command: every command explains itself, and every command with effects needs --apply."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from deploy.cli import app

CHANGES = {
    ("subscriptions", "pause"), ("subscriptions", "resume"), ("subscriptions", "reset"),
    ("dead-letters", "redrive"), ("dead-letters", "skip"), ("dead-letters", "edit"),
    ("projections", "rebuild"), ("projections", "rollback"), ("projections", "discard"),
    ("sagas", "retry"), ("sagas", "cancel"), ("relay", "backfill"), ("recover",), ("subjects", "erase"),
    ("token-keys", "retire"), ("master-keys", "rewrap"),
}  # fmt: skip


def commands(group: object = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command with its path."""
    group = typer.main.get_command(app) if group is None else group
    inner = getattr(group, "commands", None)
    if inner is None:
        yield path, group
        return
    for name, command in inner.items():
        yield from commands(command, (*path, name))


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_command_explains_itself_at_80_columns(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], env={**os.environ, "COLUMNS": "80"})

    assert result.exit_code == 0
    flags = [line for line in result.stdout.splitlines() if "<bool>" in line and "--help" not in line]
    assert flags == [], "a flag takes no value"
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_exactly_the_commands_that_change_something_take_apply() -> None:
    with_apply = {
        path
        for path, command in COMMANDS.items()
        if any("--apply" in one.opts for one in command.params)  # type: ignore[attr-defined]
    }

    assert with_apply == CHANGES


def test_a_reason_that_is_too_long_to_record_is_a_wrong_option() -> None:
    result = CliRunner().invoke(app, ["subscriptions", "pause", "a.b", "--reason", "x" * 1001])

    assert result.exit_code == 2
    assert "1,001 characters" in result.output


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("caudal ")


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    arguments = ["load", str(tmp_path / "x.csv"), "--system", "x", "--command", "y", "--delimiter", delimiter]

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert "is one character" in result.output


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_a_dry_run_needs_no_stack(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "x.csv").write_text("partner_id\tnote\nacme\tz\n")
    arguments = ["load", str(tmp_path / "x.csv"), "--system", "data_ingestion", "--command", "receive-data", "--dry-run"]

    result = CliRunner().invoke(app, [*arguments, "--into", "payload", "--set", "partner_id=a", "--delimiter", delimiter])
    whole = CliRunner().invoke(app, [*arguments, "--delimiter", delimiter])

    assert result.exit_code == 0
    assert "2 columns: partner_id, note" in result.stdout
    assert whole.exit_code == 1
    assert "line 2: /payload Field required; /note Extra inputs are not permitted" in whole.stdout
