"""Load while things break: commands that are sent until they are acknowledged, and what was acknowledged."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self
from uuid import uuid4

import httpx

from tests.stack import Stack

_HOT = 8
"""Writers of one hot stream."""


@dataclass(slots=True)
class Acknowledged:
    """The writes that the command API has acknowledged."""

    deliveries: dict[str, str] = field(default_factory=dict)
    """Each delivery's id by the idempotency key under which it was sent."""
    revisions: set[int] = field(default_factory=set)
    """Versions of the hot stream that were acknowledged to writers."""
    attempts: int = 0
    lost: set[str] = field(default_factory=set)
    """Ids of deliveries that a failover lost; their clients have sent them again."""


class Load:
    """Clients that never give up: a failed request is sent again under the same key."""

    def __init__(self, seed: int, pause: float) -> None:
        self._pause = pause
        self._random = random.Random(seed)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._client = httpx.AsyncClient(timeout=20, verify=False)
        """Its own, since a stack that ends under load closes its clients while they wait for answers."""
        self._doors: list[str] = []
        """The addresses of the command APIs to send to."""
        self.acknowledged = Acknowledged()
        self._may_be_lost: dict[str, object] | None = None
        """Bodies of deliveries by their keys, while commits may be lost."""
        self._revisions_before: set[int] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def start(self) -> None:
        """Begins to send, again if need be."""
        self._stopping = False
        self._tasks = [asyncio.create_task(self._deliver()) for _ in range(4)]
        self._tasks += [asyncio.create_task(self._rewrite(n)) for n in range(_HOT)]

    async def stop(self) -> None:
        """Waits until every request in flight is acknowledged."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def crowd(self, writers: int) -> None:
        """Adds concurrent writers to the hot stream, a few writes each."""
        for _ in range(3):
            await asyncio.gather(*(self._rewrite_once(_HOT + n) for n in range(writers)))

    def note_what_may_be_lost(self) -> None:
        """From now on commits may be lost."""
        self._may_be_lost = {}

    def note_loss(self) -> None:
        """Commits have been lost; versions of the hot stream that were acknowledged may be acknowledged again, to others."""
        self._revisions_before, self.acknowledged.revisions = self.acknowledged.revisions, set()

    async def send_again(self, newest_revision: int) -> None:
        """Sends what may be lost again under the same keys; versions of the hot stream beyond the newest are lost."""
        exposed, self._may_be_lost = self._may_be_lost or {}, None
        keys = list(exposed)
        for first in range(0, len(keys), _HOT):
            await asyncio.gather(*(self._send_delivery_again(key, exposed[key]) for key in keys[first : first + _HOT]))
        self.acknowledged.revisions |= {version for version in self._revisions_before if version <= newest_revision}

    async def _send_delivery_again(self, key: str, body: object) -> None:
        before = self.acknowledged.deliveries[key]
        await self._send_delivery(key, body)
        if self.acknowledged.deliveries[key] != before:
            self.acknowledged.lost.add(before)

    def turn_to(self, stack: Stack) -> None:
        """Sends everything to this stack from now on."""
        self._doors = [stack.endpoints["command_api"]]

    @asynccontextmanager
    async def door(self, url: str) -> AsyncIterator[None]:
        """Sends a part of the load to another command API meanwhile."""
        self._doors.append(url)
        try:
            yield
        finally:
            self._doors.remove(url)
            await asyncio.sleep(1)  # for the commands in flight through it

    async def _deliver(self) -> None:
        while not self._stopping:
            key = uuid4().hex
            body = {"partner_id": f"p-{self._random.randrange(50)}", "payload": {"n": self._random.random(), "key": key}}
            await self._send_delivery(key, body)
            await asyncio.sleep(self._pause)

    async def _send_delivery(self, key: str, body: object) -> None:
        answer = await self._until_acknowledged("/ingest", body, key)
        self.acknowledged.deliveries[key] = answer.json()["data_id"]
        if self._may_be_lost is not None:
            self._may_be_lost[key] = body

    async def _rewrite(self, writer: int) -> None:
        """Writes to one stream that all writers share."""
        while not self._stopping:
            await self._rewrite_once(writer)
            await asyncio.sleep(self._pause * 4)

    async def _rewrite_once(self, writer: int) -> None:
        key = uuid4().hex
        body = {"partner_id": "hot", "json_schema": {"type": "object", "title": f"{writer}-{key}"}}
        answer = await self._until_acknowledged("/commands/data_ingestion/register-schema", body, key)
        version = answer.json()["version"]
        assert version not in self.acknowledged.revisions, f"version {version} was acknowledged twice"
        self.acknowledged.revisions.add(version)

    async def _until_acknowledged(self, path: str, body: object, key: str) -> httpx.Response:
        while True:
            self.acknowledged.attempts += 1
            try:
                door = self._random.choice(self._doors)
                answer = await self._client.post(f"{door}{path}", json=body, headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in (200, 201):
                return answer
            assert answer.status_code in (409, 503), f"{answer.status_code}: {answer.text}"
            await asyncio.sleep(0.1)
