"""Serving: a process that has begun to end is not ready and does not outlive a task that hangs; an address may be taken."""

import asyncio

import httpx
import pytest

from deploy.local.ports import free_ports
from deploy.serving import serve
from schemas.errors import Misconfigured
from streams.settings import Settings
from streams.telemetry.duties import Duties
from tests.conftest import eventually


class HalfDead:
    """Work of which one task fails when it is asked to, and another swallows its cancellation."""

    def __init__(self) -> None:
        self.must_fail, self.may_end = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        async with Duties() as duties:
            duties.create_task(self._hang())
            duties.create_task(self._fail())

    async def why_not_ready(self) -> str | None:
        return None

    async def _hang(self) -> None:
        while not self.may_end.is_set():
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                continue

    async def _fail(self) -> None:
        await self.must_fail.wait()
        raise RuntimeError("the clock is broken")


async def test_a_process_whose_work_is_failing_is_not_ready_and_ends_after_a_grace_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graces = list[None]()
    monkeypatch.setattr(serve, "exit_after_grace", lambda: graces.append(None))
    work, port = HalfDead(), free_ports(1)[0]
    serving = asyncio.create_task(serve._serve_beside(work, "127.0.0.1", port, Settings()))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready)
        assert graces == []

        work.must_fail.set()
        await asyncio.sleep(0.05)
        answer = await client.get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (503, {"work": "the process is ending: the clock is broken"})
    assert graces == [None], "a thread ends the process if the task that hangs does not"
    work.may_end.set()
    with pytest.raises(ExceptionGroup):
        await serving


def test_an_address_that_cannot_be_listened_on_is_named_with_who_wants_it() -> None:
    with serve.listening("127.0.0.1", 0, "one") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured) as raised:
            serve.listening("127.0.0.1", port, "the gateway shop")

    assert raised.value.detail == f"the gateway shop cannot listen on 127.0.0.1:{port}: Address already in use"
