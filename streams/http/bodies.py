"""Bodies of requests, read within a limit."""

from starlette.requests import Request

from schemas.errors import TooLarge


async def read_limited(request: Request, max_bytes: int) -> bytes:
    """Returns a request's body, counted as it arrives; raises `TooLarge`, and `ClientDisconnect` if the client is gone."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > max_bytes:
            raise TooLarge(f"the body may have {max_bytes} bytes at most")
        parts.append(part)
    return b"".join(parts)
