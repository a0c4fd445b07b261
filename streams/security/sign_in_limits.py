"""Limits on failed sign-ins, by account and by address, counted over all processes together.

An account is counted by the name that was given, whether or not there is such an account: both get the same answers.
"""

import ipaddress
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.errors import SignInsBlocked, Unauthenticated
from streams.database.pools import Databases
from streams.installation import limits_store
from streams.security.counters import Counters
from streams.settings import Settings

_IPV6_PREFIX = 64
"""Bits of an IPv6 address that one customer usually has."""


class SignInLimits:
    """Counts failed sign-ins, and blocks the account or the address that has too many."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._counters = Counters(limits_store(settings, databases))
        self._seconds = settings.sign_in_block_seconds
        self._account_limit, self._address_limit = settings.sign_in_failures, settings.sign_in_failures_per_address

    @asynccontextmanager
    async def attempt(self, account: str, address: str) -> AsyncIterator[None]:
        """Surrounds one attempt to sign in: a block that raises `Unauthenticated` is counted as a failure.

        A success resets the account's count. Any other error counts for nothing: no password was checked. Raises
        `SignInsBlocked` if the account or the address is blocked, and `Unavailable`. An attempt at a blocked account counts as
        a failure of its address. The `Unauthenticated` gets the number of attempts that the account has left.

        Attempts are counted before they are made, so that many at once have no more guesses than one after the other.
        """
        keys: list[str] = []
        used = 0
        try:
            # The address comes first: one that is blocked cannot block accounts.
            await self._count(f"sign-in/address/{network_of(address)}", self._address_limit, 0, keys)
            # Each failure of an account extends its window; an address may have many users, who fail now and then.
            account_key = f"sign-in/account/{account}"
            used = await self._count(account_key, self._account_limit, self._account_limit, keys)
            yield
        except Unauthenticated as error:
            error.attempts_left = self._account_limit - used if self._account_limit else None
            raise
        except SignInsBlocked:
            raise
        except Exception:
            for key in keys:
                await self._counters.take_back(key)
            raise
        for key in keys:
            await (self._counters.reset(key) if key == account_key else self._counters.take_back(key))

    async def _count(self, key: str, limit: int, extended_up_to: int, counted: list[str]) -> int:
        if limit == 0:
            return 0
        count, seconds = await self._counters.add(key, 1, self._seconds, extended_up_to)
        if count > limit:
            raise SignInsBlocked("too many failed attempts to sign in: try again later", max(1, math.ceil(seconds)))
        counted.append(key)
        return count


def network_of(address: str) -> str:
    """Returns the network that counts as one address: an IPv4 address itself, the first 64 bits of an IPv6 address."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(given, ipaddress.IPv4Address):
        return str(given)
    if given.ipv4_mapped is not None:
        return str(given.ipv4_mapped)
    return str(ipaddress.ip_network((given, _IPV6_PREFIX), strict=False))
