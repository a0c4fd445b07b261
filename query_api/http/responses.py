"""Responses of the query API: JSON by orjson, times with ``Z``, and integers of any size, which a log may hold."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from streams.http.responses import JsonResponse

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_ORJSON_BITS = 64


def json_response(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Returns JSON values, rows of views and pydantic models as a response."""
    try:
        content = orjson.dumps(body, _jsonable, _OPTIONS)
    except TypeError:
        content = orjson.dumps(_with_wide_integers(body), _jsonable, _OPTIONS)
    return Response(content, headers=headers, media_type=JsonResponse.media_type)


def _with_wide_integers(value: Any) -> Any:
    """Returns a body whose integers of more than 64 bits, which orjson does not write, are written out."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return {key: _with_wide_integers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_wide_integers(inner) for inner in value]
    if isinstance(value, int) and value.bit_length() >= _ORJSON_BITS:
        return orjson.Fragment(str(value))
    return value


def _jsonable(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return str(value)
