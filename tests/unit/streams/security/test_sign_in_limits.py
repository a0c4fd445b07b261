"""Limits on failed sign-ins, with counters in memory; counted for real in the integration tests."""

from typing import Any

import pytest

from schemas.errors import SignInsBlocked, TooManyRequests, Unauthenticated, Unavailable
from streams.database.pools import Databases
from streams.security.sign_in_limits import SignInLimits, network_of
from streams.settings import Settings


class FakeCounters:
    """Counts in memory."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def add(self, key: str, times: int, seconds: float, extended_up_to: int = 0) -> tuple[int, float]:
        self.counts[key] = self.counts.get(key, 0) + times
        return self.counts[key], seconds - 0.5

    async def take_back(self, key: str) -> None:
        self.counts[key] -= 1

    async def reset(self, key: str) -> None:
        del self.counts[key]


def limits(**settings: Any) -> tuple[SignInLimits, dict[str, int]]:
    made, counters = SignInLimits(Settings(**settings), Databases(None, 1)), FakeCounters()
    made._counters = counters  # type: ignore[assignment]
    return made, counters.counts


async def fail(limits: SignInLimits, account: str = "ana", address: str = "1.1.1.1") -> None:
    with pytest.raises(Unauthenticated):
        async with limits.attempt(account, address):
            raise Unauthenticated


async def succeed(limits: SignInLimits, account: str = "ana", address: str = "1.1.1.1") -> None:
    async with limits.attempt(account, address):
        pass


async def test_the_account_is_blocked_after_its_failures_and_others_are_not() -> None:
    made, _ = limits()
    for _ in range(5):
        await fail(made)

    with pytest.raises(SignInsBlocked, match="too many failed attempts to sign in") as raised:
        await succeed(made, address="2.2.2.2")

    assert raised.value.retry_after == 300
    await succeed(made, "eva")


@pytest.mark.parametrize(("limit", "left"), [(3, [2, 1, 0]), (0, [None, None, None])])
async def test_a_failure_says_how_many_attempts_are_left(limit: int, left: list[int | None]) -> None:
    made, _ = limits(sign_in_failures=limit)
    found = []
    for _ in range(3):
        with pytest.raises(Unauthenticated) as raised:
            async with made.attempt("ana", "1.1.1.1"):
                raise Unauthenticated
        found.append(raised.value.attempts_left)

    assert found == left


async def test_a_success_starts_the_count_of_the_account_anew_and_counts_for_nothing_else() -> None:
    made, counts = limits(sign_in_failures=3)
    for _ in range(3):
        await fail(made)
        await fail(made)
        await succeed(made)

    assert counts == {"sign-in/address/1.1.1.1": 6}


async def test_an_address_is_blocked_over_all_accounts_and_then_blocks_none() -> None:
    made, counts = limits(sign_in_failures_per_address=3)
    for account in ("a", "b", "c"):
        await fail(made, account)

    with pytest.raises(TooManyRequests):
        await succeed(made, "d")

    assert "sign-in/account/d" not in counts
    await succeed(made, "d", "2.2.2.2")


async def test_an_attempt_whose_password_is_not_checked_counts_for_nothing() -> None:
    made, counts = limits()
    with pytest.raises(Unavailable):
        async with made.attempt("ana", "1.1.1.1"):
            raise Unavailable

    assert set(counts.values()) == {0}


async def test_zero_turns_a_limit_off() -> None:
    made, counts = limits(sign_in_failures=0, sign_in_failures_per_address=0)
    for _ in range(100):
        await fail(made)
    await succeed(made)

    assert counts == {}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_customer_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
