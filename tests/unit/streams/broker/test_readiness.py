"""Readiness of a member of a consumer group."""

import pytest

from streams.broker import readiness
from streams.broker.readiness import GroupReadiness


def test_a_member_is_ready_once_it_has_had_partitions() -> None:
    member = GroupReadiness("workers")
    assert member.why_not_ready() == "the consumer group workers has not assigned partitions yet"

    member.note_assignment([("t", 0)])
    member.note_assignment([])

    assert (member.why_not_ready(), member.had_partitions) == (None, True)


def test_a_member_that_gets_none_is_ready_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_MAX_JOIN_SECONDS", -1)

    assert GroupReadiness("workers").why_not_ready() is None
