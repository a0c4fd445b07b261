"""Files to be loaded: the form of a file is recognised or named, and every table that is read is read as it was written."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from deploy.operations.load.reading import FileOptions, Form, read_records
from schemas.errors import Malformed


def options(**more: Any) -> FileOptions:
    return FileOptions(**{"max_bytes": 1024 * 1024, "max_depth": 64, **more})


def good_and_bad(path: Path, **more: Any) -> tuple[list[dict[str, Any]], list[int]]:
    records = list(read_records(path, options(**more)))
    return (
        [record.content for record in records if record.content is not None],
        [record.number for record in records if record.content is None],
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "a,b\n1,ñ\n2,😀\n"),
        ("x.tsv", "a\tb\n1\tñ\n2\t😀\n"),
        ("x.ndjson", '{"a": "1", "b": "ñ"}\n{"a": "2", "b": "😀"}\n'),
        ("x.json", '[{"a": "1", "b": "ñ"}, {"a": "2", "b": "😀"}]'),
        ("x.json", '[\n{"a": "1", "b": "ñ"},\n{"a": "2", "b": "😀"}\n]\n'),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))

    assert good_and_bad(file) == ([{"a": "1", "b": "ñ"}, {"a": "2", "b": "😀"}], [])


def test_an_empty_file_without_a_header_line_has_no_records(tmp_path: Path) -> None:
    for name in ("x.json", "x.ndjson"):
        for content in (b"", b"\xef\xbb\xbf", b"\n\n"):
            (tmp_path / name).write_bytes(content)
            assert good_and_bad(tmp_path / name) == ([], [])


def test_a_file_of_unknown_form_needs_a_name(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_text("a,b\n1,2\n")

    with pytest.raises(Malformed, match=r"x\.txt is not JSON: name its form with --format csv, ndjson or array"):
        good_and_bad(file)
    assert good_and_bad(file, form="csv") == ([{"a": "1", "b": "2"}], [])


def test_a_form_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    content = {"a": [{"b": 1}, {"b": 2}]}
    for name in ("x.json", "x.txt", "x.jsonl"):
        (tmp_path / name).write_text(json.dumps(content))

    for name in ("x.json", "x.txt"):
        with pytest.raises(Malformed, match="member 'a' is an array of 2 objects"):
            good_and_bad(tmp_path / name)
    assert good_and_bad(tmp_path / "x.txt", form="ndjson") == ([content], [])
    assert good_and_bad(tmp_path / "x.jsonl") == ([content], []), "its name says that a line is a record"


@pytest.mark.parametrize("more", [{"delimiter": ";"}, {"numbers": frozenset({"a"})}])
def test_options_of_csv_are_rejected_for_json(tmp_path: Path, more: dict[str, Any]) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"a": 1}')

    with pytest.raises(Malformed, match="--delimiter and --numbers are for CSV"):
        good_and_bad(file, **more)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,2\n")

    with pytest.raises(Malformed, match=r"x\.csv, the file has no column n; it has a, b"):
        good_and_bad(file, numbers=frozenset({"n"}))


NOT_IN_TEXT = "\ufeff\x00"
CELLS = st.text(
    st.one_of(st.sampled_from("ab,;|\t\"'\n\r\\ é€😀=\u2028"), st.characters(codec="utf-8", exclude_characters=NOT_IN_TEXT)),
    max_size=8,
)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]),
        "doublequote": st.booleans(),
    }
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])


def read_written(name: str, content: bytes, **more: Any) -> tuple[list[dict[str, Any]], list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        return good_and_bad(file, **more)


@settings(max_examples=200, deadline=None)
@given(table=TABLES, dialect=DIALECTS, encoding=ENCODINGS)
def test_a_table_is_read_as_it_was_written_or_rejected(table: list[list[str]], dialect: dict[str, Any], encoding: str) -> None:
    is_quoted = dialect["quoting"] in (csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC) or dialect["lineterminator"] == "\r\n"
    if not is_quoted and any({"\r", "\n"} & set(cell) for row in table for cell in row):
        reject()  # Python below 3.13 writes such line breaks without quotes: they are ends of records
    text = io.StringIO()
    try:
        csv.writer(text, **dialect).writerows(table)
    except csv.Error:
        reject()  # the dialect cannot write such a table
    names = [name.strip() for name in table[0]]
    rows = [dict(zip(names, row, strict=True)) for row in table[1:]]
    is_usable = all(names) and len(set(names)) == len(names) and not names[0].lower().startswith("sep=")

    # A column `0,1` alone, in a table with semicolons, reads like two columns in one with commas.
    looks_like_others = len(names) == 1 and any(delimiter in table[0][0] for delimiter in ",;\t|")
    for delimiter in [dialect["delimiter"]] if looks_like_others else [None, dialect["delimiter"]]:
        try:
            good, bad = read_written("x.csv", text.getvalue().encode(encoding), delimiter=delimiter)
        except Malformed:
            assert delimiter is None or not is_usable, "a table with usable names is read if its delimiter is named"
        else:
            assert len(good) + len(bad) == len(rows)
            assert all(record in rows for record in good), "a record that is read is one that was written"
            assert good == rows or delimiter is None, "only a column with delimiters in its cells may look like several"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3)
OBJECTS = st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=6)


@settings(max_examples=100, deadline=None)
@given(objects=OBJECTS, indent=st.sampled_from([None, 1]), encoding=ENCODINGS, form=st.sampled_from(["array", "ndjson"]))
def test_json_is_read_as_it_was_written(objects: list[dict[str, Any]], indent: int | None, encoding: str, form: Form) -> None:
    text = json.dumps(objects, indent=indent) if form == "array" else "\n".join(json.dumps(one) for one in objects)

    assert read_written("x.json", text.encode(encoding), form=form) == (
        [one for one in objects if "\\u0000" not in json.dumps(one)],
        [n for n, one in enumerate(objects, start=1) if "\\u0000" in json.dumps(one)],
    )
