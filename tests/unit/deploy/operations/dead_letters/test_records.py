"""Parked records as text and as JSON: the place alone in its line, the origin, the error."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.operations.dead_letters.records import as_content, print_records, why_not_sent
from streams.commands.parked_records import ParkedRecord

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PARKED = ParkedRecord(
    place="orders.dead-letters/1@3", topic="orders", partition=2, origin="orders/2@7", error="malformed: [it] is not JSON",
    at=NOW - timedelta(minutes=5), key=None, value=b"\xff", headers=[("ce_id", b"1")],
)  # fmt: skip
NOT_KEPT = replace(PARKED, place="orders.dead-letters/1@4", value=b"")


def printed(*records: ParkedRecord) -> list[str]:
    out = io.StringIO()
    print_records(records, Console(file=out, highlight=False, soft_wrap=True), NOW)
    return out.getvalue().splitlines()


def test_each_has_its_place_its_origin_and_its_error() -> None:
    assert printed(PARKED, NOT_KEPT) == [
        "orders.dead-letters/1@3",
        "  from orders/2@7: 5 min ago, 1 byte",
        "  malformed: [it] is not JSON",
        "orders.dead-letters/1@4",
        "  from orders/2@7: 5 min ago, its value was not kept",
        "  malformed: [it] is not JSON",
        "2 records that are no commands",
    ]
    assert printed(PARKED)[-1] == "1 record that is no command"


def test_a_record_without_its_value_cannot_be_sent_again() -> None:
    assert why_not_sent(PARKED) is None
    assert "its sender has to send it again" in (why_not_sent(NOT_KEPT) or "")
    assert (as_content(PARKED)["value"], as_content(PARKED)["can_be_sent_again"]) == ("\\xff", True)
    assert (as_content(NOT_KEPT)["value"], as_content(NOT_KEPT)["can_be_sent_again"]) == ("", False)
