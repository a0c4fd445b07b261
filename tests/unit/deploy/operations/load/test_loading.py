"""A load: nothing is sent of a file that is broken anywhere, and a dry run says what would be sent."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deploy.operations.load.keyed_commands import Shape
from deploy.operations.load.loading import Load, load_file, preview
from deploy.operations.load.reading import FileOptions
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import Forbidden, Malformed
from tests.unit.deploy.operations.load.fake_api import problem, running_api


def load(file: Path, content: str, *, into: str | None = None, **options: Any) -> Load:
    file.write_text(content, newline="")
    read = FileOptions(max_bytes=1024 * 1024, max_depth=64, **options)
    return Load(file, "todo/add-task", read, Shape(fixed={} if into is None else {"partner_id": "p"}, into=into))


async def test_every_record_of_a_file_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = load(tmp_path / "x.csv", "a;n\r\n" + "".join(f'"x\r\n{n}";{n}\r\n' for n in range(500)), numbers=frozenset({"n"}))

    async with running_api() as api:
        code = await load_file(table, api.url, batch=30, connections=3)

    assert code == 0
    assert [*api.accepted.values()][:2] == [{"a": "x\r\n0", "n": 0}, {"a": "x\r\n1", "n": 1}]
    assert (len(api.accepted), max(api.sizes)) == (500, 30)
    assert capsys.readouterr().err.splitlines()[-1] == "500 accepted, 0 there already, 0 failed"


async def test_a_cell_longer_than_the_csv_modules_limit_is_sent(tmp_path: Path) -> None:
    async with running_api() as api:
        code = await load_file(load(tmp_path / "x.csv", f'a,b\n1,"{"x" * 280_000}"\n'), api.url, batch=30, connections=3)

    assert code == 0
    assert [len(command["b"]) for command in api.accepted.values()] == [280_000]


@pytest.mark.parametrize(
    ("name", "last"), [("x.csv", '1,"said "ok" and\nleft",2\n3,4\n'), ("x.json", '{"a": [\n1\n]}\n{"a": 1}\n')]
)
async def test_nothing_is_sent_of_a_file_with_a_broken_record(tmp_path: Path, name: str, last: str) -> None:
    first = "a,b\n" + "1,2\n" * 1000 if name == "x.csv" else '{"a": 1}\n' * 1001

    async with running_api() as api:
        with pytest.raises(Malformed, match="line 1002: "):
            await load_file(load(tmp_path / name, first + last), api.url, batch=10, connections=1)

    assert api.sizes == []


async def test_records_that_cannot_be_sent_are_reported_and_the_others_are_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = load(tmp_path / "x.csv", "n\n1\n0012\n" + "9" * 400 + "\n2\n", numbers=frozenset({"n"}))

    async with running_api() as api:
        code = await load_file(table, api.url, batch=10, connections=1)

    assert (code, [*api.accepted.values()]) == (1, [{"n": 1}, {"n": 2}])
    said = capsys.readouterr().err
    assert "line 3: n: '0012' is not a number" in said
    assert "line 4: n: " in said
    assert said.splitlines()[-1] == "2 accepted, 0 there already, 2 failed"


async def test_a_load_that_ends_early_says_how_far_it_came(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def answer(batch: list[Any]) -> web.Response | None:
        return problem(403, "no more") if len(api.sizes) > 2 else None

    async with running_api(answer) as api:
        with pytest.raises(Forbidden, match="no more"):
            await load_file(load(tmp_path / "x.csv", "n\n1\n2\n3\n4\n"), api.url, batch=1, connections=2)

    assert capsys.readouterr().err.splitlines()[-1] == "2 accepted, 0 there already, 0 failed"


def test_a_dry_run_counts_names_and_rejects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = load(tmp_path / "x.csv", "a|n\nx|1\ny|1,5\nz\nw|2\n", numbers=frozenset({"n"}), into="payload")

    code = preview(table, ReceiveData)

    assert (code, capsys.readouterr().out.splitlines()) == (
        1,
        [
            f"{tmp_path}/x.csv: 4 records",
            "2 columns: a, n",
            "line 3: n: '1,5' is not a number as JSON writes it: 12, -0.5 or 1e5",
            "line 4: has 1 cells, the header has 2",
            "2 would be sent, 2 would be rejected. Nothing was sent.",
        ],
    )


def test_a_dry_run_checks_the_fields_if_the_system_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"partner_id": "p", "payload": {}}
    records = load(tmp_path / "x.ndjson", f"{json.dumps(good)}\n{json.dumps({**good, 'partner_id': 7})}\n")

    assert (preview(records, ReceiveData), preview(records, None)) == (1, 0)
    said = capsys.readouterr().out
    assert "line 2: /partner_id Input should be a valid string" in said
    assert said.endswith("2 would be sent, 0 would be rejected. Nothing was sent. The fields are not checked: "
                         "the system is not installed here.\n")  # fmt: skip


def test_a_dry_run_of_a_broken_file_says_where_it_is_broken(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"x\.csv, line 3: the record that begins here is broken"):
        preview(load(tmp_path / "x.csv", 'a,b\n1,2\n3,"x"y\n'), None)
