"""NDJSON and JSON arrays: a record is rejected if another value than its own would be stored."""

import io
from typing import Any

import pytest

from deploy.operations.load.json_records import array_records, ndjson_records
from deploy.operations.load.record import Record
from schemas.errors import Malformed

DEPTH = 8


def lines(text: str, *, is_certain: bool = False) -> list[Record]:
    return list(ndjson_records(io.StringIO(text, newline="\n"), DEPTH, is_certain=is_certain))


def elements(text: str) -> list[Record]:
    return list(array_records(io.StringIO(text, newline="\n"), DEPTH))


def good_and_bad(records: list[Record]) -> tuple[list[dict[str, Any]], list[int]]:
    return [one.content for one in records if one.content is not None], [one.number for one in records if one.content is None]


def test_ndjson() -> None:
    assert good_and_bad(lines('{"a": 1}\n\nnonsense\n[1]\r\n{"b": "ñ"}\n{"c": ')) == ([{"a": 1}, {"b": "ñ"}], [3, 4, 6])


def test_a_json_array_that_breaks_off() -> None:
    assert good_and_bad(elements(' [{"a": 1.5}, 7, {"b": [null]}, {"c"')) == ([{"a": 1.5}, {"b": [None]}], [2, 4])
    assert good_and_bad(elements('[{"a": 1}, {"a": 2},]')) == ([{"a": 1}, {"a": 2}], [3])
    assert good_and_bad(elements('[{"a": 1} {"a": 2}]')) == ([{"a": 1}], [2])
    assert good_and_bad(elements('[{"a": 1}] {"a": 2}')) == ([{"a": 1}], [2])
    assert good_and_bad(elements("[" * 100_000)) == ([], [1])
    assert elements("[7")[1].problem == "the array ends here: a comma or the closing bracket is missing"


def test_an_array_may_be_empty() -> None:
    assert elements(" [ ] \n") == []


BAD = [
    ('{"n": 18446744073709551616}', "/n is a number out of range: integers have 64 bits"),
    ('{"n": 9223372036854775808}', "/n is a number out of range: integers have 64 bits"),
    ('{"n": -80241446968629135069}', "/n is a number out of range: integers have 64 bits"),
    ('{"n": [1e400]}', "/n/0 is a number out of range"),
    ('{"n": "\\ud800"}', "/n contains a lone surrogate"),
    ('{"n": "\\u0000"}', "/n contains the character NUL"),
    ('{"n": NaN}', "not JSON"),
    ('{"n": 1, "n": 2}', "has the name 'n' twice in one object"),
    ('{"n": [{"m": 1, "m": 1}]}', "/n/0 has the name 'm' twice in one object"),
    ('{"n": "\udcff"}', "not JSON"),
    ('{"n": ' + "[" * DEPTH + "]" * DEPTH + "}", "is nested deeper than 8 levels"),
    ("[1]", "not a JSON object"),
    ("9" * 5000, "is a number out of range: integers have 64 bits"),
]


@pytest.mark.parametrize(("bad", "why"), BAD, ids=range(len(BAD)))
def test_a_record_that_cannot_be_stored_as_it_is_is_rejected_alone(bad: str, why: str) -> None:
    for records in (lines(f'{{"n": 1}}\n{bad}\n{{"n": 3}}\n'), elements(f'[{{"n": 1}}, {bad}, {{"n": 3}}]')):
        assert good_and_bad(records) == ([{"n": 1}, {"n": 3}], [2])
        assert why in str(records[1].problem)


def test_the_rest_of_an_array_is_read_after_a_number_out_of_range() -> None:
    many = ", ".join(f'{{"n": {n}}}' for n in range(1000))

    good, bad = good_and_bad(elements(f'[{{"n": 9223372036854775808}}, {many}]'))

    assert (len(good), bad) == (1000, [1])


def test_elements_longer_than_the_parts_in_which_a_file_is_read() -> None:
    long = "x\\n" * 150_000

    good, bad = good_and_bad(elements(f'[{{"a": "{long}"}},{" " * 200_000}{{"b": 1}}, 12, {{"c": "{long}"}}]'))

    assert ([list(one) for one in good], bad) == ([["a"], ["b"], ["c"]], [3])
    assert len(good[0]["a"]) == 300_000


@pytest.mark.parametrize(
    "text",
    [
        '{"items": [\n{"a": 1},\n{"a": 2}\n]}',
        '{\n"a": 1\n}\n{\n"a": 2\n}',
        '{"x": 1}\n{"a": 1,\n"b": {\n"c": 1}}\n',
    ],
)
def test_nothing_is_made_of_the_inside_of_an_object_of_several_lines(text: str) -> None:
    with pytest.raises(Malformed, match=r"line \d: the JSON that begins here does not end in this line"):
        lines(text)


def test_an_object_that_wraps_an_array_is_not_taken_for_a_record() -> None:
    wrapped = '{"total": 2, "items": [{"a": 1}, {"a": 2}]}\n'

    with pytest.raises(Malformed, match="whose member 'items' is an array of 2 objects"):
        lines(wrapped)
    assert len(lines(wrapped, is_certain=True)) == 1
    assert len(lines(wrapped * 2)) == 2, "lines of one shape are records"
    assert len(lines('{"items": [{"a": 1}]}')) == 1
