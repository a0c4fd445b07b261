"""Records of NDJSON files and of JSON arrays: a record is rejected if another value than its own would be stored."""

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Literal, TextIO

from command_api.handling.validation import parse_json
from deploy.operations.load.record import Record
from schemas.errors import Invalid, Malformed

_BLANKS = re.compile(r"[ \t\r\n]*")
_BLANK = " \t\r\n"
_CHUNK = 64 * 1024
_MAX_ELEMENT = 16 * 1024 * 1024
"""Characters of an array's element that are searched for its end."""
# Finds the end of a value; numbers stay text, because `parse_json` judges them.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def ndjson_records(text: TextIO, max_depth: int, *, is_certain: bool) -> Iterator[Record]:
    r"""Yields the records of a text that was opened with ``newline="\n"``.

    Raises `Malformed`, with the line, for an object that does not end in its line, unless the file ends there too: the next
    lines may be its inside. Unless the form ``is_certain``, raises it also for one object that seems to wrap an array.
    """
    records = _ended(text, max_depth)
    first, second = next(records, None), next(records, None)
    if first is not None and second is None and not is_certain:
        _check_not_wrapped(first)
    return chain((record for record in (first, second) if record is not None), records)


def _ended(text: TextIO, max_depth: int) -> Iterator[Record]:
    unfinished: Record | None = None
    for number, line in enumerate(text, start=1):
        if not (stripped := line.strip(_BLANK)):
            continue
        if unfinished is not None:
            raise Malformed(
                f"{unfinished.place}: the JSON that begins here does not end in this line. NDJSON has an object in each line; "
                "an array begins with ["
            )
        record = _parsed(number, stripped, max_depth, "line")
        if record.content is None and _is_unfinished(stripped):
            unfinished = record
        else:
            yield record
    if unfinished is not None:
        yield unfinished


def _is_unfinished(text: str) -> bool:
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except RecursionError:
        return False
    return False


def _check_not_wrapped(record: Record) -> None:
    for name, value in (record.content or {}).items():
        if isinstance(value, list) and len(value) > 1 and all(isinstance(one, dict) for one in value):
            raise Malformed(
                f"{record.place}: the file is one object, whose member {name!r} is an array of {len(value)} objects. To load "
                "each of them, extract the array; to load the file as one record, give --format ndjson"
            )


def array_records(text: TextIO, max_depth: int) -> Iterator[Record]:
    """Yields the elements of an array; an element that is rejected does not end it, one whose end is unknown does."""
    elements, number = _Elements(text), 0
    try:
        for number, element in enumerate(elements, start=1):
            yield _parsed(number, element, max_depth, "element")
    except (json.JSONDecodeError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "too many levels"
        yield Record(number + 1, None, f"the array ends here: {why}", "element")


class _Elements:
    """The texts of an array's elements, read as a stream::

        [{"a": 1}, {"b": 2}, {"c": …
                   ^ at      ^ end   the rest of the buffer may be a part of an element: read more, and decode again

    Each further part is as long as the rest, so that a long element is decoded a few times only.
    """

    def __init__(self, text: TextIO) -> None:
        self._text, self._buffer, self._at = text, "", 0

    def __iter__(self) -> Iterator[str]:
        """Yields each element's text; raises `JSONDecodeError` or `RecursionError` for one whose end is unknown."""
        self._next_character()
        self._at += 1  # the opening bracket
        if self._next_character() == "]":
            self._at += 1
        else:
            following = ","
            while following == ",":
                yield self._element()
                following = self._next_character()
                self._at += 1
            if following != "]":
                raise json.JSONDecodeError("a comma or the closing bracket is missing", "", 0)
        if self._next_character():
            raise json.JSONDecodeError("more text after the closing bracket", "", 0)

    def _element(self) -> str:
        self._next_character()
        while True:
            try:
                _, end = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError:
                if len(self._buffer) - self._at > _MAX_ELEMENT or not self._read_more():
                    raise
                continue
            # A number at the end of the buffer may have more digits.
            if end < len(self._buffer) or not self._read_more():
                break
        element = self._buffer[self._at : end]
        self._at = end
        return element

    def _next_character(self) -> str:
        """Returns the next character that is not blank, and moves to it; ``""`` at the end of the file."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            assert blanks is not None, "the pattern matches also nothing"
            self._at = blanks.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_more():
                return ""

    def _read_more(self) -> bool:
        rest = self._buffer[self._at :]
        more = self._text.read(max(_CHUNK, len(rest)))
        self._buffer, self._at = rest + more, 0
        return bool(more)


def _parsed(number: int, text: str, max_depth: int, unit: Literal["line", "element"]) -> Record:
    try:
        content = parse_json(text.encode("utf-8", "surrogateescape"), max_depth)
    except Malformed as error:
        return Record(number, None, f"not JSON: {error.reasons}", unit)
    except Invalid as error:
        return Record(number, None, error.reasons, unit)
    if not isinstance(content, dict):
        return Record(number, None, "not a JSON object", unit)
    return Record(number, content, None, unit)
