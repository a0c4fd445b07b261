"""The hash chain: a hash covers every column of its event and the whole log before it."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from streams.integrity.hash_chain import BEGIN, Link, content_hash, linked
from streams.log.stored_events import StoredEvent

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ROW = StoredEvent(7, "s", 2, UUID(int=5), "E", 1, 3, 4, AT, '{"a":"ñ"}', "{}")


def test_the_content_is_a_line_for_each_column() -> None:
    lines = f'7\ns\n2\n{UUID(int=5)}\nE\n1\n3\n4\n{int(AT.timestamp()) * 1_000_000 + 678901}\n{{"a":"ñ"}}\n{{}}'

    assert content_hash(ROW) == hashlib.sha256(lines.encode()).digest()


@pytest.mark.parametrize("column", StoredEvent._fields)
def test_a_change_of_any_column_changes_the_hash(column: str) -> None:
    before: Any = getattr(ROW, column)
    match before:
        case int():
            after: Any = before + 1
        case UUID():
            after = UUID(int=6)
        case datetime():
            after = before + timedelta(microseconds=1)
        case _:
            after = f"{before} "

    assert content_hash(ROW._replace(**{column: after})) != content_hash(ROW)


def test_bytes_and_text_have_the_same_hash() -> None:
    assert content_hash(ROW._replace(data='{"a":"ñ"}'.encode(), metadata=b"{}")) == content_hash(ROW)


def test_an_events_hash_depends_on_all_events_before_it() -> None:
    first = linked(BEGIN, content_hash(ROW))

    assert linked(first, content_hash(ROW)) == hashlib.sha256(first + content_hash(ROW)).digest() != first


def test_a_link_is_a_row_with_its_hash() -> None:
    columns = dict(zip((*StoredEvent._fields, "hash"), (*ROW, b"h"), strict=True))

    assert Link.of(columns) == Link(ROW, b"h")
