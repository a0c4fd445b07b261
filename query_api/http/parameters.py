"""Parameters of a query's URL: read strictly, rejected by name."""

from urllib.parse import quote, urlencode

from starlette.requests import Request

from schemas.errors import Invalid, Violation

DEFAULT_LIMIT, MAX = 100, 1000
_MAX_DIGITS = 18


class Parameters:
    """The parameters of a request that takes these and no others; raises `Invalid`, naming the one that makes no sense."""

    def __init__(self, request: Request, *known: str) -> None:
        self._given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                takes = f"; it takes {', '.join(known)}" if known else ""
                raise unusable(name, f"means nothing here{takes}")
            if "\x00" in value:
                raise unusable(name, "contains the character NUL")
            self._given.setdefault(name, []).append(value)

    def given(self, name: str) -> bool:
        """Whether there is such a parameter."""
        return name in self._given

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter that may come more than once."""
        return tuple(self._given.get(name, ()))

    def text(self, name: str) -> str | None:
        """The value of a parameter that may come once."""
        values = self.texts(name)
        if len(values) > 1:
            raise unusable(name, "is given more than once")
        return values[0] if values else None

    def number(self, name: str, default: int) -> int:
        """A whole number from 0."""
        text = self.text(name)
        if text is None:
            return default
        return whole_number(text, name)

    def limit(self, most: int = MAX) -> int:
        """How much a page may hold."""
        text = self.text("limit")
        return min(DEFAULT_LIMIT, most) if text is None else limit_of(text, most)


def whole_number(text: str, name: str) -> int:
    """A whole number from 0 from text; raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise unusable(name, "is a whole number from 0")
    return int(text)


def limit_of(text: str, most: int = MAX) -> int:
    """A page's limit from text; raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise unusable("limit", f"is a number from 1 to {most}")
    return int(text)


def next_link(request: Request, cursor: str) -> str:
    """The ``Link`` header that leads to the next page."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f'<{quote(request.scope["path"])}?{urlencode([*kept, ("after", cursor)])}>; rel="next"'


def unusable(name: str, why: str) -> Invalid:
    """A parameter that makes no sense."""
    return Invalid(f"the parameter {name!r} {why}", [Violation("", f"{name} {why}")])
