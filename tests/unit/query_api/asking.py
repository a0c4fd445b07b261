"""Requests as the query API gets them, once they are authenticated."""

from starlette.requests import Request

from schemas.access import Caller
from streams.http.request_context import RequestContext


def request_of(path: str = "/", query: str = "", caller: Caller | None = None, **headers: str) -> Request:
    """Returns a GET request of a caller; underscores in names of headers become hyphens."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "path_params": {},
    }
    RequestContext.open(scope).caller = caller
    return Request(scope)
