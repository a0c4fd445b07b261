"""Parked records as text and as JSON: the place alone in its line, the origin, the error."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.operations.dead_letters.records import listed_record, print_records
from streams.commands.parked_records import ParkedRecord

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PARKED = ParkedRecord(
    place="orders.dead-letters/1@3", origin="orders/2@7", error="malformed: [it] is \x1b[2Jnot JSON",
    at=NOW - timedelta(minutes=5), size=1, beginning=b"\xff",
)  # fmt: skip


def printed(*records: ParkedRecord) -> list[str]:
    out = io.StringIO()
    print_records(list(map(listed_record, records)), Console(file=out, highlight=False, soft_wrap=True), NOW)
    return out.getvalue().splitlines()


def test_each_has_its_place_its_origin_and_its_error_without_control_characters() -> None:
    assert printed(PARKED, replace(PARKED, place="orders.dead-letters/1@4", size=0)) == [
        "orders.dead-letters/1@3",
        "  from orders/2@7: 5 min ago, 1 byte",
        "  malformed: [it] is \N{REPLACEMENT CHARACTER}[2Jnot JSON",
        "orders.dead-letters/1@4",
        "  from orders/2@7: 5 min ago, without a value",
        "  malformed: [it] is \N{REPLACEMENT CHARACTER}[2Jnot JSON",
        "2 records that are no commands",
    ]
    assert printed(PARKED)[-1] == "1 record that is no command"


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert listed_record(PARKED).beginning == "\\xff"
