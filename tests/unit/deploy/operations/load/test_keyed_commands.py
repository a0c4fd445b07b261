"""The commands of a load: equal contents have equal keys, and what the command API would reject is not sent."""

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from deploy.operations.load.keyed_commands import Shape, keyed_commands
from deploy.operations.load.reading import FileOptions
from deploy.operations.load.record import Record
from schemas.clinical_lab.results import RecordResult
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.message import Command

OPTIONS = FileOptions(max_bytes=300, max_depth=4)
PLAIN = Shape(fixed={}, into=None)


def records(*contents: Any) -> Iterable[Record]:
    return [Record(number, content, None) for number, content in enumerate(contents, start=1)]


def commands(
    sent: Iterable[Record], shape: Shape = PLAIN, command: type[Command] | None = None
) -> tuple[list[Any], list[tuple[int, str]]]:
    rejected: list[tuple[int, str]] = []

    def reject(record: Record, why: str) -> None:
        rejected.append((record.number, why))

    found = keyed_commands(iter(sent), "todo/add-task", shape, OPTIONS, reject, command)
    return [orjson.loads(one.content) for one in found], rejected


def test_a_record_is_the_command_or_one_of_its_fields() -> None:
    shape = Shape(fixed={"partner_id": "faa"}, into="payload")

    ((whole,), _), ((part,), _) = commands(records({"a": 1})), commands(records({"a": 1}), shape)

    assert whole["command"] == {"a": 1}
    assert part["command"] == {"partner_id": "faa", "payload": {"a": 1}}


def test_the_key_is_of_the_content_and_counts_equal_records() -> None:
    first, _ = commands(records({"a": 1, "b": 2}, {"a": 3}, {"b": 2, "a": 1}))
    second, _ = commands(records({"a": 3}, {"a": 1, "b": 2}))
    keys = [one["idempotency_key"] for one in first]

    assert keys[0].removesuffix("-1") == keys[2].removesuffix("-2")
    assert [one["idempotency_key"] for one in second] == [keys[1], keys[0]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"a": "\x00"}, "/a contains the character NUL"),
        ({"a": "x" * 300}, "a command may have 300 bytes at most, this one has"),
        ({"a": [[[[1]]]]}, "is nested deeper than 4 levels"),
        ({"a": "\udcff"}, "cannot be stored"),
        ({"a": 2**64}, "cannot be stored"),
    ],
)
def test_a_command_that_cannot_be_stored_is_not_sent(content: Any, why: str) -> None:
    sent, ((number, reason),) = commands(records({"a": 1}, content, {"a": 2}))

    assert [one["command"] for one in sent] == [{"a": 1}, {"a": 2}]
    assert number == 2
    assert why in reason


def test_a_record_with_a_problem_is_rejected_with_it() -> None:
    assert commands([Record(7, None, "not JSON")]) == ([], [(7, "not JSON")])


def test_fields_are_checked_if_the_class_is_known() -> None:
    good = {"partner_id": "p", "payload": {}}

    sent, rejected = commands(records(good, {"partner_id": 7}), PLAIN, ReceiveData)

    assert [one["command"] for one in sent] == [good]
    assert rejected == [(2, "/partner_id Input should be a valid string; /payload Field required")]
    assert commands(records({"patient": "encrypted:1:p:AAAA", "result": "x"}), PLAIN, RecordResult)[1] == [
        (1, "/patient has the prefix of an encrypted text")
    ]
