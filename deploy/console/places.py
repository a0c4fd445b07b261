"""Places in a log, as options name them: a position, a time, or a date."""

import re
from datetime import datetime

from query_api.audit.history import place
from schemas.errors import Invalid

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_FORMS = "a position from 1, a date (2026-01-31) or a time (2026-01-31T12:00Z)"


def parse_place(text: str, option: str, words: tuple[str, ...] = ()) -> int | datetime:
    """Reads a position or a time; a date means its beginning in UTC. Raises `Invalid`, which also names the ``words``."""
    try:
        return place(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text, option)
    except Invalid:
        forms = ", ".join([*words, _FORMS])
        raise Invalid(f"{option} cannot be {text!r}: it takes {forms}") from None
