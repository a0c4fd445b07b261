"""Readiness of a member of a consumer group."""

from streams.broker.readiness import GroupReadiness


def test_a_member_is_ready_once_it_has_had_partitions() -> None:
    member = GroupReadiness("workers")
    member.note_assignment([], is_member=False)
    assert member.why_not_ready() == "the consumer group workers has not assigned partitions yet"

    member.note_assignment([("t", 0)], is_member=True)
    member.note_assignment([], is_member=False)

    assert (member.why_not_ready(), member.had_partitions) == (None, True)


def test_a_member_that_gets_none_is_ready() -> None:
    member = GroupReadiness("workers")

    member.note_assignment([], is_member=True)

    assert (member.why_not_ready(), member.had_partitions) == (None, False)
