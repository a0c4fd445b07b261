"""Values of a view's columns, read from the text of a URL."""

from datetime import date, datetime
from typing import Any, get_args, get_origin
from typing import Literal as LiteralType

from sqlalchemy.types import BigInteger, Boolean, Date, DateTime, Double, TypeEngine, Uuid

from schemas.values.literals import read_integer, read_number, read_uuid
from schemas.view import View


def allowed_values(view: type[View], column: str) -> tuple[str, ...]:
    """Returns the values that a column may have, if the view declares them one by one; else nothing."""
    annotation = view.model_fields[column].annotation
    return get_args(annotation) if get_origin(annotation) is LiteralType else ()


def parse_value(column_type: TypeEngine[Any], text: str) -> Any:
    """Returns text as a value of a column's type; raises ``ValueError``."""
    if isinstance(column_type, Uuid):
        return read_uuid(text)
    if isinstance(column_type, BigInteger):
        return read_integer(text)
    if isinstance(column_type, Double):
        return read_number(text)
    if isinstance(column_type, Boolean):
        if text not in ("true", "false"):
            raise ValueError("it must be true or false")
        return text == "true"
    if isinstance(column_type, DateTime):
        return _parse_time(text)
    if isinstance(column_type, Date):
        return date.fromisoformat(text)
    return text


def _parse_time(text: str) -> datetime:
    time = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not escaped in the URL
    if time.tzinfo is None:
        raise ValueError("a time needs its offset, such as Z")
    return time
