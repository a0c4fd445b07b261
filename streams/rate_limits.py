"""Rate limits: how often one caller may ask for one route, counted for every process together.

Windows and their notation are those of ``limits``; the counters are rows of an unlogged table.
"""

import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter

from schemas.errors import Misconfigured, TooManyRequests
from streams.postgres import Databases, statement
from streams.settings import Settings

SCHEMA = '"caudal_limits"'

_KINDS = {"GET": "GET", "HEAD": "GET", "POST": "POST", "PUT": "POST", "PATCH": "POST", "DELETE": "POST"}
"""Whatever reads counts as GET, whatever writes as POST."""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    item: RateLimitItem


class RateLimits:
    """Lets through what the settings' limits allow."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._limiter = FixedWindowRateLimiter(_Counters(databases, settings.write_dsn))
        self._limits: dict[str, list[_Limit]] = {
            method: [_Limit(f"{method}-{item.get_expiry()}", item) for item in _parsed(text)]
            for method, text in settings.rate_limits.items()
        }

    def apply_to(self, method: str) -> bool:
        """Whether requests of a method are counted."""
        return _KINDS.get(method) in self._limits or "all" in self._limits

    async def spend(self, method: str, caller: str, route: str) -> Headers:
        """Counts a request; returns what its answer's headers say of the limits. Raises `TooManyRequests`, `Unavailable`."""
        spent: list[tuple[_Limit, bool, int, int]] = []
        for kind in (_KINDS.get(method, ""), "all"):
            for limit in self._limits.get(kind, ()):
                # For all methods together there is one counter a caller, whatever it asks for.
                key = (kind, caller, route if kind != "all" else "")
                is_within = await self._limiter.hit(limit.item, *key)
                reset, remaining = await self._limiter.get_window_stats(limit.item, *key)
                spent.append((limit, is_within, remaining, max(1, math.ceil(reset - time.time()))))
        headers = [
            (
                b"ratelimit-policy",
                ", ".join(f'"{one.name}";q={one.item.amount};w={one.item.get_expiry()}' for one, *_ in spent),
            ),
            (b"ratelimit", ", ".join(f'"{one.name}";r={left};t={seconds}' for one, _, left, seconds in spent)),
        ]
        told = [(name, text.encode()) for name, text in headers]
        over = [(limit, seconds) for limit, is_within, _, seconds in spent if not is_within]
        if over:
            limit, seconds = max(over, key=lambda one: one[1])
            raise TooManyRequests(f"more than {limit.item.amount} requests in {limit.item.get_expiry()} s", seconds, told)
        return told


class _Counters(Storage):
    """The counters as ``limits`` asks for them."""

    STORAGE_SCHEME = None

    def __init__(self, databases: Databases, dsn: str) -> None:
        super().__init__()
        self._databases, self._dsn = databases, dsn

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        async with self._databases.connection(self._dsn) as connection:
            count: int = await connection.fetchval(statement("limit_spend", SCHEMA), key, amount, float(expiry))
        return count

    async def get(self, key: str) -> int:
        return (await self._stand(key))[0]

    async def get_expiry(self, key: str) -> float:
        return (await self._stand(key))[1]

    async def check(self) -> bool:
        return await self._databases.out_of_reach([self._dsn]) is None

    async def reset(self) -> int | None:
        raise NotImplementedError("counters end by themselves")

    async def clear(self, key: str) -> None:
        raise NotImplementedError("counters end by themselves")

    async def _stand(self, key: str) -> tuple[int, float]:
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("limit_stand", SCHEMA), key)
        return (0, time.time()) if row is None else (row["count"], row["expires_at"])


def _parsed(text: str) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except ValueError as error:
        raise Misconfigured(f"{text!r} is no rate limit; one reads like 60/minute") from error
