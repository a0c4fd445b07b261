"""CSV: delimiters, headers, strict quoting, and numbers of JSON's grammar."""

import csv
import io
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.operations.load.csv_records import csv_records
from deploy.operations.load.record import Record
from schemas.errors import Malformed

MAX_CELL = 1000


def read(text: str, numbers: Collection[str] = (), delimiter: str | None = None, usual: str | None = None) -> list[Record]:
    return list(csv_records(io.StringIO(text, newline=""), delimiter, usual, frozenset(numbers), MAX_CELL))


def contents(text: str, numbers: Collection[str] = (), delimiter: str | None = None) -> list[object]:
    return [record.content for record in read(text, numbers, delimiter)]


def problems(text: str, numbers: Collection[str] = ()) -> list[tuple[int, str]]:
    return [(record.number, record.problem) for record in read(text, numbers) if record.problem is not None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_only_delimiter_in_the_header_is_the_delimiter(delimiter: str) -> None:
    assert contents(f"code{delimiter}n\nA{delimiter}7\n", {"n"}) == [{"code": "A", "n": 7}]


@pytest.mark.parametrize("text", ["", "\n\n", "sep=;\n"])
def test_a_file_without_a_header_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="the file ends before the header line"):
        read(text)


def test_cells_may_hold_the_other_delimiters() -> None:
    assert contents("a;b\n1,5;2|3\t\n") == [{"a": "1,5", "b": "2|3\t"}]


def test_a_delimiter_in_a_quoted_name_does_not_count() -> None:
    assert contents('"a;\nb",c\n1,2\n') == [{"a;\nb": "1", "c": "2"}]


@pytest.mark.parametrize("header", ["a,b;c", "price (EUR; net)\tn, all", "a|b,c"])
def test_a_delimiter_that_is_not_certain_has_to_be_named(header: str) -> None:
    with pytest.raises(Malformed, match=r"line 1: the delimiter may be .* or .*; name it with --delimiter"):
        read(f"{header}\n1,2;3\n")


def test_a_delimiter_that_is_named_is_the_delimiter() -> None:
    assert contents("a,b;c\n1;2\n", delimiter=";") == [{"a,b": "1", "c": "2"}]
    assert contents("a:b\n1:2\n", delimiter=":") == [{"a": "1", "b": "2"}]
    assert [record.content for record in read("a\tb, c\n1\t2\n", usual="\t")] == [{"a": "1", "b, c": "2"}]


def test_the_first_line_may_name_the_delimiter() -> None:
    assert [(one.number, one.content) for one in read("sep=;\r\na;b\r\n1,5;2\r\n")] == [(3, {"a": "1,5", "b": "2"})]
    assert contents('"SEP=|"\na|b\n1|2\n') == [{"a": "1", "b": "2"}]
    with pytest.raises(Malformed, match="the first line names the delimiter ';', and --delimiter is ','"):
        read("sep=;\na;b\n", delimiter=",")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,,c\n1,2,3\n", "line 1: the header has no name for column 2"),
        ("a,b,\n1,2,3\n", "line 1: the header has no name for column 3"),
        ("\n\na, \n1,2\n", "line 3: the header has no name for column 2"),
        ("a,b,a\n1,2,3\n", "line 1: the header has more than one column a"),
        ("a, a\n1,2\n", "line 1: the header has more than one column a"),
        ("a\udce9,b\n1,2\n", "line 1: the header is not UTF-8"),
    ],
)
def test_a_header_that_names_no_columns_is_rejected(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read(text)


def test_blanks_around_names_are_dropped_and_those_of_cells_are_kept() -> None:
    assert contents(" a , b\n 1, 2 \n") == [{"a": " 1", "b": " 2 "}]


def test_a_record_with_other_cells_than_the_header_is_rejected_alone() -> None:
    assert problems("a,b\n1\n1,2\n1,2,3\n,\n") == [
        (2, "has 1 cells, the header has 2"),
        (4, "has 3 cells, the header has 2"),
    ]


def test_a_record_that_is_not_utf8_is_rejected_alone() -> None:
    assert problems("a,b\n1,\udce9\n1,2\n") == [(2, "is not UTF-8")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_record_has_the_number_of_its_first_line(end: str) -> None:
    records = read(end.join(["a,b", f'1,"x{end}{end}y"', "", "2", '3,"z"']))

    assert [(record.number, record.content) for record in records] == [
        (2, {"a": "1", "b": f"x{end}{end}y"}),
        (6, None),
        (7, {"a": "3", "b": "z"}),
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('id,notes,code\n1,"Patient said "ok" and left\nthen returned, later",A1\n2,fine,B2\n', 2),
        ('a,b\n1,"x"y\np,q"\n', 2),
        ('a,b\n1,2\n1, "x, y"\n', 3),
        ('a,b\n1,6" pipe\n', 2),
        ('a,b\n1,2\n3,"4\n5,6\n', 3),
        ('a,"b\n1,2\n', 1),
        ('a,b\n1,"x\\"y"\n', 2),
    ],
)
def test_nothing_is_made_of_the_inside_of_a_record_with_broken_quotes(text: str, number: int) -> None:
    with pytest.raises(Malformed, match=f"line {number}: the record that begins here is broken"):
        read(text)


ROWS = st.lists(st.lists(st.text('ab,"\n ', max_size=6), min_size=2, max_size=2), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), data=st.data())
def test_a_file_with_one_quote_too_many_or_too_few_is_never_read(
    rows: list[list[str]], quoting: Any, data: st.DataObject
) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=quoting).writerows([["first", "second"], *rows])
    good = text.getvalue()
    place = data.draw(st.integers(0, len(good)))
    spoilt = good[:place] + good[place + 1 :] if good[place : place + 1] == '"' else f'{good[:place]}"{good[place:]}'

    assert [record.content for record in read(good)] == [{"first": first, "second": second} for first, second in rows]
    with pytest.raises(Malformed, match=r"line \d+: "):
        read(spoilt)


def test_a_line_break_without_quotes_is_no_end_of_a_record() -> None:
    with pytest.raises(Malformed, match="line 3: ends with CR alone, and others do not"):
        read("a,b\n1,2\n3,4\r5,6\n")


def test_a_cell_may_be_as_long_as_a_command_and_no_longer() -> None:
    assert contents(f"a,b\n1,{'x' * MAX_CELL}\n") == [{"a": "1", "b": "x" * MAX_CELL}]
    with pytest.raises(Malformed, match=r"line 2: .* a cell has more than 1000 characters; a quote may be missing"):
        read('a,b\n1,"' + "x\n" * MAX_CELL + '"\n')


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("12", 12), ("-0.5", -0.5), ("1e5", 100000.0), ("2.5E-1", 0.25), ("", None), (" ", None), (" 12 ", 12),
        ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("9007199254740993", 9007199254740993),
    ],
)  # fmt: skip
def test_numbers_are_those_of_json(cell: str, number: float | None) -> None:
    (content,) = contents(f"n,text\n{cell},{cell}\n", {"n"})

    assert content == {"n": number, "text": cell}
    assert type(content["n"]) is type(number)


@pytest.mark.parametrize(
    "cell",
    [
        "1_000",
        "\uff11\uff12",
        "\u0661\u0662",
        "+5",
        ".5",
        "5.",
        "0012",
        "nan",
        "Infinity",
        "0x1F",
        "1 234",
        "true",
        "null",
        "[1]",
        '"""1"""',
    ],
)
def test_other_numbers_are_rejected_with_the_line(cell: str) -> None:
    ((line, why),) = problems(f"n;x\n1;1\n{cell};1\n2;1\n", {"n"})

    assert line == 3
    assert why.startswith("n: ")
    assert "is not a number as JSON writes it" in why


@pytest.mark.parametrize("cell", ["9223372036854775808", "-80241446968629135069", "1e400", "9" * 309, "9" * 400, "9" * 900])
def test_numbers_out_of_range_are_rejected_with_the_line_and_never_rounded(cell: str) -> None:
    ((line, why),) = problems(f"n,x\n{cell},1\n2,1\n", {"n"})

    assert line == 2
    assert "is a number out of range" in why
    assert len(why) < 150
