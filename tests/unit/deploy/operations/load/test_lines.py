"""Files to be loaded: NDJSON, JSON arrays and CSV, bad lines are reported by number."""

from pathlib import Path
from typing import Any

import pytest

from deploy.operations.load.lines import read_lines
from schemas.errors import Malformed


def good_and_bad(path: Path, numbers: frozenset[str] = frozenset()) -> tuple[list[dict[str, Any]], list[int]]:
    lines = list(read_lines(path, numbers))
    return [line.content for line in lines if line.content is not None], [x.number for x in lines if x.content is None]


def test_ndjson(tmp_path: Path) -> None:
    file = tmp_path / "x.ndjson"
    file.write_bytes(b'{"a": 1}\n\nnonsense\n[1]\n{"b": "\xc3\xb1"}\n{"c": ')

    assert good_and_bad(file) == ([{"a": 1}, {"b": "ñ"}], [3, 4, 6])


def test_a_json_array_that_breaks_off(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b' [{"a": 1.5}, 7, {"b": [null]}, {"c"')

    assert good_and_bad(file) == ([{"a": 1.5}, {"b": [None]}], [2, 4])


def test_csv_is_text_but_for_the_columns_named(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b'\xef\xbb\xbfcode,n,note\n1E8,2.5,"a\nb"\nX,7,\nY,,z\nshort\nZ,abc,\n')

    assert good_and_bad(file, frozenset({"n"})) == (
        [{"code": "1E8", "n": 2.5, "note": "a\nb"}, {"code": "X", "n": 7, "note": ""}, {"code": "Y", "n": None, "note": "z"}],
        [6, 7],
    )


def test_numbers_that_cannot_be_kept_and_lines_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"n,note\n1,a\nnan,a\n1e999,a\n99999999999999999999,a\n2,\xff\n-3,b\n")

    assert good_and_bad(file, frozenset({"n"})) == ([{"n": 1, "note": "a"}, {"n": -3, "note": "b"}], [3, 4, 5, 6])


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")

    with pytest.raises(Malformed, match="has no column n"):
        list(read_lines(file, frozenset({"n"})))


def test_an_empty_file(tmp_path: Path) -> None:
    for name in ("x.csv", "x.json", "x.ndjson"):
        (tmp_path / name).touch()
        assert list(read_lines(tmp_path / name)) == []
