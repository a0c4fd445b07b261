"""The instances of an API behind a gateway: which are usable, and which has the least to do."""

import asyncio
import random
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import aiohttp
from prometheus_client import Gauge
from yarl import URL

OUT_SECONDS = 2.0
"""So long an instance gets no requests after it could not be reached or was not available, if there is another one."""
_PROBE_SECONDS = 1.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)

IN_PROGRESS = Gauge("caudal_gateway_in_progress", "Requests that an instance of an API is answering.", ["api", "instance"])
USABLE = Gauge("caudal_gateway_usable", "Whether an instance of an API gets requests: 1 or 0.", ["api", "instance"])


class Instance:
    """One process of an API."""

    def __init__(self, api: str, url: URL) -> None:
        self.url, self.in_progress = url, 0
        self.failing: str | None = "it has not been asked yet"
        """Why it said that it is not ready, when it was last asked."""
        self._out_until = 0.0
        self._shown, self._usable = IN_PROGRESS.labels(api, str(url)), USABLE.labels(api, str(url))

    @property
    def is_usable(self) -> bool:
        """Whether it is ready, and no request has found otherwise in the last `OUT_SECONDS`."""
        return self.failing is None and time.monotonic() >= self._out_until

    def take_out(self) -> None:
        """Notes that a request found it out of reach or not available."""
        self._out_until = time.monotonic() + OUT_SECONDS
        self._usable.set(0)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Counts a request until its answer has been passed on."""
        self.in_progress += 1
        self._shown.set(self.in_progress)
        try:
            yield
        finally:
            self.in_progress -= 1
            self._shown.set(self.in_progress)

    async def probe(self, session: aiohttp.ClientSession) -> None:
        """Asks it whether it is ready."""
        try:
            async with session.get(self.url / "readyz", timeout=_PROBE_TIMEOUT) as answer:
                self.failing = None if answer.status == 200 else f"it answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.failing = str(error) or type(error).__name__
        self._usable.set(self.is_usable)


class Upstream:
    """All instances of one API."""

    def __init__(self, api: str, urls: Sequence[str]) -> None:
        self.api = api
        self.instances = [Instance(api, URL(url)) for url in urls]

    def next(self, tried: Collection[Instance] = ()) -> Instance | None:
        """Returns the usable instance with the fewest requests in progress that was not tried yet; ``None`` if all were.

        If none is usable, any may be: what is known of them is up to two seconds old.
        """
        left = [one for one in self.instances if one not in tried]
        candidates = [one for one in left if one.is_usable] or left
        return min(candidates, key=lambda one: (one.in_progress, random.random()), default=None)

    def has_another(self, tried: Collection[Instance]) -> bool:
        """Returns whether a usable instance was not tried yet."""
        return any(one.is_usable for one in self.instances if one not in tried)

    async def why_not_ready(self) -> str | None:
        """Returns why no instance is ready, or ``None`` if one is."""
        if any(one.failing is None for one in self.instances):
            return None
        return "; ".join(f"{one.url}: {one.failing}" for one in self.instances)

    async def keep_probed(self, session: aiohttp.ClientSession) -> None:
        """Asks every instance again and again whether it is ready, until cancelled."""
        while True:
            await asyncio.gather(*(one.probe(session) for one in self.instances))
            await asyncio.sleep(_PROBE_SECONDS)
