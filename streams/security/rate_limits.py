"""Rate limits: how often one caller may send a request to one route, counted over all processes together.

Limits and their notation are those of the package ``limits``. A window begins with the first request, and is one row of an
unlogged table.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from limits import RateLimitItem, parse_many

from schemas.errors import Misconfigured, TooLarge, TooManyRequests
from streams.database.pools import Databases
from streams.installation import limits_store
from streams.security.counters import Counters
from streams.settings import Settings

_KINDS = {"GET": "GET", "HEAD": "GET", "POST": "POST", "PUT": "POST", "PATCH": "POST", "DELETE": "POST"}
"""Methods that read count as GET, methods that write as POST."""

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    item: RateLimitItem

    @property
    def description(self) -> str:
        return f"{self.item.amount} requests in {self.item.get_expiry()} s"


@dataclass(frozen=True, slots=True)
class _Window:
    """A caller's current window of a limit."""

    limit: _Limit
    count: int
    seconds: int
    """The seconds until it ends."""

    @property
    def is_exceeded(self) -> bool:
        return self.count > self.limit.item.amount

    @property
    def policy(self) -> str:
        return f'"{self.limit.name}";q={self.limit.item.amount};w={self.limit.item.get_expiry()}'

    @property
    def state(self) -> str:
        return f'"{self.limit.name}";r={max(0, self.limit.item.amount - self.count)};t={self.seconds}'


class RateLimits:
    """Counts requests against the limits of the settings."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._counters = Counters(limits_store(settings, databases))
        self._limits: dict[str, list[_Limit]] = {
            method: [_Limit(f"{method}-{item.get_expiry()}", item) for item in _parsed(text)]
            for method, text in settings.rate_limits.items()
        }

    def apply_to(self, method: str, route: str) -> bool:
        """Returns whether requests with this method to a route are counted."""
        return any(kind in self._limits for kind in _kinds(method, route))

    async def spend(self, method: str, caller: str, route: str, times: int = 1) -> Headers:
        """Counts a request ``times`` against each limit, until it exceeds one; returns the headers of its answer.

        Raises `TooManyRequests` and `Unavailable`.
        """
        windows: list[_Window] = []
        for kind, limit in self._limits_of(method, route):
            # For all methods together there is one counter a caller, for all routes.
            windows.append(await self._spent(limit, (kind, caller, route if kind != "all" else ""), times))
            if windows[-1].is_exceeded:
                raise _too_many(windows)
        return _headers(windows)

    def check_fits(self, method: str, route: str, commands: int) -> None:
        """Raises `TooLarge` for a batch with more commands than a limit allows in any window: a later attempt fails as well."""
        for _, limit in self._limits_of(method, route):
            if commands > limit.item.amount:
                raise TooLarge(
                    f"a batch of {commands} commands never fits the rate limit of {limit.description}: send smaller batches"
                )

    def _limits_of(self, method: str, route: str) -> Iterator[tuple[str, _Limit]]:
        """Yields the limits of a route, those of a method, and those for all methods together, each with its kind."""
        for kind in _kinds(method, route):
            for limit in self._limits.get(kind, ()):
                yield kind, limit

    async def _spent(self, limit: _Limit, key: tuple[str, ...], times: int) -> _Window:
        count, seconds = await self._counters.add(limit.item.key_for(*key), times, limit.item.get_expiry())
        return _Window(limit, count, max(1, math.ceil(seconds)))


@lru_cache(maxsize=1000)
def _kinds(method: str, route: str) -> tuple[str, str, str]:
    """Returns the names under which the settings may have limits for a request."""
    path = re.sub(r"{(\w+):\w+}", r"{\1}", route)  # as the OpenAPI documents write it
    return f"{'GET' if method == 'HEAD' else method} {path}", _KINDS.get(method, ""), "all"


def _headers(windows: list[_Window]) -> Headers:
    return [
        (b"ratelimit-policy", ", ".join(window.policy for window in windows).encode()),
        (b"ratelimit", ", ".join(window.state for window in windows).encode()),
    ]


def _too_many(windows: list[_Window]) -> TooManyRequests:
    over = windows[-1]
    return TooManyRequests(f"more than {over.limit.description}", over.seconds, _headers(windows))


def _parsed(text: str) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except ValueError as error:
        raise Misconfigured(f"{text!r} in CAUDAL_RATE_LIMITS is not a rate limit: write it like 60/minute") from error
