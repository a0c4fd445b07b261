"""A command API on a real port: it accepts every line of a batch, unless a test answers in its place."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = Callable[[list[Any]], Awaitable[web.Response | None]]
"""Gets the lines of a batch; ``None`` accepts them."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"status": status, "detail": detail, "type": "about:blank"}, status=status, headers=headers)


def lines(*results: Mapping[str, Any]) -> web.Response:
    return web.Response(body=b"".join(orjson.dumps(result) + b"\n" for result in results))


class FakeApi:
    """Remembers the sizes of the batches that it was sent, and the commands that it accepted."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.url = ""
        self.sizes: list[int] = []
        self.accepted: dict[str, Any] = {}
        self._answer = answer

    async def post(self, request: web.Request) -> web.Response:
        batch = [orjson.loads(line) for line in (await request.read()).splitlines()]
        self.sizes.append(len(batch))
        if self._answer is not None and (answer := await self._answer(batch)) is not None:
            return answer
        return lines(*(self.accept(line) for line in batch))

    def accept(self, line: Any) -> Mapping[str, Any]:
        repeated = line["idempotency_key"] in self.accepted
        self.accepted[line["idempotency_key"]] = line["command"]
        return {"status": 201, "repeated": repeated}


@asynccontextmanager
async def running_api(answer: Answer | None = None) -> AsyncIterator[FakeApi]:
    api = FakeApi(answer)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/commands/{system}/{command}", api.post)
    async with TestServer(app) as server:
        api.url = str(server.make_url("/commands/todo/add-task"))
        yield api
