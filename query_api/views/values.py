"""Values of a view's columns, read from the text of a URL."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, get_args, get_origin
from typing import Literal as LiteralType

from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Double, TypeEngine, Uuid

from schemas.values.literals import LARGEST, SMALLEST, read_integer, read_number, read_uuid
from schemas.values.names import nfc
from schemas.view import View

TEXT_SCHEMA: Mapping[str, Any] = {"type": "string", "pattern": r"^[^\x00]*$"}
TIME_SCHEMA: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_BOOLEAN = re.compile(r"true|false")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})")


def allowed_values(view: type[View], column: str) -> tuple[str, ...]:
    """Returns the values that a column may have, if the view declares them one by one; else nothing."""
    annotation = view.model_fields[column].annotation
    return get_args(annotation) if get_origin(annotation) is LiteralType else ()


def parse_value(column_type: TypeEngine[Any], text: str) -> Any:
    """Returns text as a value of a column's type; raises ``ValueError``.

    Each type has the one grammar that `schema_of_column` states: Python alone also reads ``1_0`` as a number.
    """
    if isinstance(column_type, Uuid):
        return read_uuid(text)
    if isinstance(column_type, BigInteger):
        return read_integer(text)
    if isinstance(column_type, Double):
        return read_number(text)
    if isinstance(column_type, Boolean):
        return _matched(_BOOLEAN, text, "true or false") == "true"
    if isinstance(column_type, DateTime):
        return parse_time(text)
    if isinstance(column_type, Date):
        return date.fromisoformat(_matched(_DATE, text, "a date such as 2026-01-31"))
    return text


def spellings(column_type: TypeEngine[Any], text: str) -> list[Any]:
    """Returns the values to which a text is equal; raises ``ValueError``.

    The first of two is the text in NFC, as natural keys are stored; the other is the text as it is given, because some columns
    keep texts as they were given, too.
    """
    value = parse_value(column_type, text)
    return list(dict.fromkeys((nfc(value), value))) if isinstance(value, str) else [value]


def parse_time(text: str) -> datetime:
    """Returns a time with its offset (RFC 3339, also without seconds) from the text of a URL; raises ``ValueError``."""
    escaped = text.replace(" ", "+")  # a plus sign that was not escaped in the URL
    time = datetime.fromisoformat(_matched(_TIME, escaped, "a time with its offset, such as 2026-01-31T12:00:00Z").upper())
    try:
        return time.astimezone(UTC)  # PostgreSQL reads no offset of 16 hours or more
    except OverflowError:
        return time  # outside the years 1 to 9999 in UTC: PostgreSQL compares it


def schema_of_column(column_type: TypeEngine[Any], values: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the JSON Schema of a value in a URL; ``values`` are all that a column may have."""
    if values:
        return {"type": "string", "enum": list(values)}
    if isinstance(column_type, Uuid):
        return {"type": "string", "format": "uuid"}
    if isinstance(column_type, BigInteger):
        return {"type": "integer", "minimum": SMALLEST, "maximum": LARGEST}
    if isinstance(column_type, Double):
        return {"type": "number"}
    if isinstance(column_type, Boolean):
        return {"type": "boolean"}
    if isinstance(column_type, DateTime):
        return dict(TIME_SCHEMA)
    return {"type": "string", "format": "date"} if isinstance(column_type, Date) else dict(TEXT_SCHEMA)


def _matched(form: re.Pattern[str], text: str, what: str) -> str:
    if not form.fullmatch(text):
        raise ValueError(f"it must be {what}")
    return text
