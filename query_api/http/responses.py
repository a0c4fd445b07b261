"""Responses of the query API: JSON by orjson, times with ``Z``."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from streams.http.responses import JsonResponse

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def json_response(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Returns JSON values, rows of views and pydantic models as a response."""
    return Response(orjson.dumps(body, _jsonable, _OPTIONS), headers=headers, media_type=JsonResponse.media_type)


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return str(value)
