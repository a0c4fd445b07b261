"""Parameters of a URL for paths that know all of theirs: others are rejected by name."""

from typing import Any

from starlette.requests import Request

from query_api.views.paging import DEFAULT_LIMIT, MAX_LIMIT, invalid_parameter, parse_limit

MAX_POSITION, MAX_VERSION = 10**18 - 1, 2**31 - 1
"""The largest position in a log and the largest version of a stream that a request may name."""


def whole_numbers(maximum: int) -> dict[str, Any]:
    """Returns the JSON Schema of whole numbers from 0."""
    return {"type": "integer", "minimum": 0, "maximum": maximum}


class Parameters:
    """The parameters of a request that takes these and no others; raises `Invalid` for the first that is wrong."""

    def __init__(self, request: Request, *known: str) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                raise invalid_parameter(name, f"is unknown here; known are {', '.join(known)}" if known else "is unknown here")
            if "\x00" in value:
                raise invalid_parameter(name, "contains the character NUL")
            self._given.setdefault(name, []).append(value)

    def has(self, name: str) -> bool:
        """Returns whether the request has a parameter."""
        return name in self._given

    def texts(self, name: str) -> tuple[str, ...]:
        """Returns every value of a parameter that may be repeated."""
        return tuple(self._given.get(name, ()))

    def text(self, name: str) -> str | None:
        """Returns the value of a parameter that may be given once."""
        values = self.texts(name)
        if len(values) > 1:
            raise invalid_parameter(name, "is given more than once")
        return values[0] if values else None

    def version(self, name: str, default: int) -> int:
        """Returns the version of a stream; 0 is before its first event."""
        text = self.text(name)
        return default if text is None else whole_number(text, name, MAX_VERSION)

    def position(self, name: str, default: int) -> int:
        """Returns a position in a log; 0 is before its first event."""
        text = self.text(name)
        return default if text is None else whole_number(text, name, MAX_POSITION)

    def limit(self, maximum: int = MAX_LIMIT) -> int:
        """Returns the limit of a page."""
        text = self.text("limit")
        return min(DEFAULT_LIMIT, maximum) if text is None else parse_limit(text, maximum)


def whole_number(text: str, name: str, maximum: int) -> int:
    """Returns a whole number from 0 from text; raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and int(text) <= maximum):
        raise invalid_parameter(name, f"must be a whole number from 0 to {maximum}")
    return int(text)
