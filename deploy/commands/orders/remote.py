"""A remote installation: its operations API over HTTP."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from deploy.operations.operation import Operation
from deploy.operations.reading import Reading
from deploy.operations.run import Output, Parameters
from deploy.operations.run_content import RunContent
from schemas.errors import CaudalError, Unavailable

T = TypeVar("T")
_CONTENT = TypeAdapter(RunContent)
_POLL_SECONDS = 0.3
_TIMEOUT_SECONDS = 60.0


class RemoteError(CaudalError):
    """The operations API answered with an error."""

    kind = "remote"


class Remote:
    """The operations API at a URL, called with an access token; closed at the end of its block."""

    def __init__(self, url: str, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=_TIMEOUT_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._client.aclose()

    async def run(
        self, operation: Operation[Any], parameters: Parameters, out: Output, reason: str, *, apply: bool
    ) -> RunContent:
        """Runs an operation there, shows what it says as it goes on, and returns it as a whole when it has ended.

        Raises `RemoteError` if it is rejected or fails, and `Unavailable`.
        """
        order = {"parameters": parameters.model_dump(mode="json"), "reason": reason, "apply": apply}
        content = _CONTENT.validate_json(await self._body("POST", f"/api/{operation.name}", json=order))
        said = 0
        while True:
            for line in content.lines[said:]:
                out.say(line.text, line.style)
            said = len(content.lines)
            if content.state != "running":
                break
            if content.progress is not None:
                out.show_progress(content.progress.what, content.progress.done, content.progress.total, content.progress.unit)
            await asyncio.sleep(_POLL_SECONDS)
            content = _CONTENT.validate_json(await self._body("GET", f"/api/runs/{content.id}"))
        if content.state == "failed":
            raise RemoteError(content.problem)
        return content

    async def read(self, reading: Reading[Any, T], parameters: Parameters) -> T:
        """Returns what a reading shows there; raises `RemoteError` and `Unavailable`."""
        given: Mapping[str, Any] = parameters.model_dump(mode="json", exclude_defaults=True)
        return reading.answer.validate_json(await self._body("GET", f"/api/{reading.name}", params=given))

    async def _body(self, method: str, path: str, **options: Any) -> bytes:
        try:
            answer = await self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._client.base_url} does not answer: {error or type(error).__name__}") from error
        if answer.is_success:
            return answer.content
        raise RemoteError(_detail(answer))


def _detail(answer: httpx.Response) -> str:
    """Returns what an error says, or its status if it is not one of the operations API."""
    try:
        problem = TypeAdapter(dict[str, Any]).validate_json(answer.content)
        return str(problem["detail"])
    except (ValidationError, KeyError):
        return f"{answer.request.url} answered with {answer.status_code}: is it the address of `caudal serve operations`?"
