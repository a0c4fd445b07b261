"""The first screen of `caudal up`: it fits into 80 x 24, and holds no token."""

import json
import shlex
from pathlib import Path

import pytest

from deploy.console.endpoints import Endpoints
from deploy.console.options import DEFAULT_DATA_DIR
from deploy.local.announcement import announce, screen
from deploy.local.example import Example
from deploy.local.servers.logins import ADMIN, Logins
from deploy.local.stack import DEFAULT_PORTS
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.message import Command
from schemas.system import Context, System
from streams.discovery import installed_catalog

BODY = {"partner_id": "partner-1", "payload": {"name": "it's", "age": 30}}
EXAMPLE = Example("data_ingestion", "/ingest", BODY, "/query/partner/partner-1")


def endpoints(folder: Path) -> Endpoints:
    commands, queries = (f"http://127.0.0.1:{DEFAULT_PORTS[name]}" for name in ("command-api", "query-api"))
    dsn = Logins(folder / "pgpass").dsn(ADMIN, DEFAULT_PORTS["postgres"])
    return Endpoints(commands, queries, dsn, "127.0.0.1:19092", str(folder), str(folder / "logs"), DEFAULT_PORTS, 1)


def shown(example: Example | None = EXAMPLE, catalog: Catalog | None = None) -> list[str]:
    return screen(endpoints(DEFAULT_DATA_DIR.resolve()), catalog or installed_catalog(), example, 8.3)


def test_it_fits_into_a_terminal() -> None:
    lines = shown()

    # A DSN is used from any folder: its absolute path is as long as it is.
    (dsn,) = (line for line in lines if line.startswith("PostgreSQL"))
    assert len(lines) + len(dsn) // 80 <= 23, "one line is left for the prompt"
    assert max(len(line) for line in lines if line != dsn) <= 79
    assert lines[0] == "Caudal is ready after 8.3 s."
    assert lines[-1] == "No token is needed where a system asks for no role. Ctrl-C stops everything."


def test_it_says_what_runs_where_and_what_to_do_next() -> None:
    said = "\n".join(shown())

    for part in (
        "http://127.0.0.1:5001/docs", "http://127.0.0.1:5002/docs", "127.0.0.1:19092",
        f"postgresql://admin@127.0.0.1:15432/caudal?passfile={DEFAULT_DATA_DIR.resolve()}/pgpass", "smtp://127.0.0.1:5106",
        "status", "verify", "token NAME --role ROLE", "Roles: auditor",
    ):  # fmt: skip
        assert part in said
    assert "eyJ" not in said


def test_its_calls_are_what_a_shell_takes() -> None:
    lines = shown()
    first = next(n for n, line in enumerate(lines) if line.startswith("curl"))
    words = shlex.split(f"{lines[first].removesuffix(chr(92))} {lines[first + 1]}")

    assert words[2] == "http://127.0.0.1:5001/ingest"
    assert words[-1] == '{"partner_id": "partner-1", "payload": {"name": "it\'s", "age": 30}}'


@pytest.mark.parametrize("as_json", [False, True])
def test_what_the_start_has_changed_comes_before_the_screen(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    note = "the view todo.tasks has changed its shape: it is filled from the log again"
    announce(endpoints(DEFAULT_DATA_DIR.resolve()), [note], 8.3, as_json=as_json, with_tokens=False)

    said = capsys.readouterr().out
    assert "eyJ" not in said, "no token without being asked for"
    if as_json:
        assert json.loads(said)["notes"] == [note]
    else:
        assert said.splitlines()[:2] == [f"Note: {note}.", "Caudal is ready after 8.3 s."]


def test_without_an_example_it_shows_no_call() -> None:
    assert not [line for line in shown(None) if "curl" in line]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_roles_fits(count: int) -> None:
    class Enter(Command, name="enter", access=Access.to(*(f"a_rather_long_role_{n}" for n in range(count)))):
        pass

    lines = shown(catalog=Catalog.of([System("todo", (Context("doors", commands=(Enter,)),))]))

    assert len(lines) <= 23
    assert max(len(line) for line in lines if not line.startswith("PostgreSQL")) <= 79
    assert any("…" in line for line in lines) == (count == 40)
