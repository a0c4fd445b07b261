"""Envelopes: the receipt of a command."""

from dataclasses import replace
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from schemas.envelope import Receipt

RECEIPT = Receipt(
    command_id=UUID(int=1), stream="account-a", version=2, position=7, partition=3, recorded_at=MIDNIGHT, events=("Deposited",)
)


@pytest.mark.parametrize(
    ("stream", "key"), [("account-a", "a"), ("account-a-b", "a-b"), (f"account-{UUID(int=5)}", str(UUID(int=5)))]
)
def test_a_receipts_key_is_its_stream_without_the_category(stream: str, key: str) -> None:
    assert replace(RECEIPT, stream=stream).key == key


def test_a_repeated_receipt_equals_the_first_one_and_no_other() -> None:
    assert replace(RECEIPT, repeated=True) == RECEIPT
    assert replace(RECEIPT, version=3) != RECEIPT
