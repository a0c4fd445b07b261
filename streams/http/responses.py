"""JSON responses."""

from typing import Any

import orjson
from starlette.responses import Response


class JsonResponse(Response):
    """A JSON response, written by orjson: times with ``Z``, and a line break at its end, for terminals."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z)
