"""The recent writes of callers, for which their reads wait."""

import time

import pytest

from deploy.gateway.recent_writes import RecentWrites


def test_a_caller_has_the_newest_token_of_each_partition() -> None:
    writes = RecentWrites()
    for token in ("shop.orders/0@7", "shop.orders/1@3", "shop.orders/0@5", "shop.stock/0@1"):
        writes.note("ana", token)

    tokens = writes.tokens("ana")
    assert tokens is not None
    assert set(tokens.split(", ")) == {"shop.orders/0@7", "shop.orders/1@3", "shop.stock/0@1"}
    assert writes.tokens("eva") is None


def test_writes_are_dropped_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    writes = RecentWrites()
    writes.note("ana", "shop.orders/0@7")
    now += 6
    writes.note("ana", "shop.orders/1@8")
    now += 6

    assert writes.tokens("ana") == "shop.orders/1@8"
    now += 6
    assert writes.tokens("ana") is None


def test_memory_is_bounded() -> None:
    writes = RecentWrites(max_callers=2)
    for caller in ("ana", "eva", "ana", "bob"):
        writes.note(caller, "shop.orders/0@7")
    for partition in range(40):
        writes.note("bob", f"shop.orders/{partition}@1")

    assert [writes.tokens(caller) is None for caller in ("ana", "eva", "bob")] == [False, True, False]
    assert str(writes.tokens("bob")).count(",") == 31


def test_a_text_that_is_not_a_token_is_ignored() -> None:
    writes = RecentWrites()
    writes.note("ana", "something else")

    assert writes.tokens("ana") is None
