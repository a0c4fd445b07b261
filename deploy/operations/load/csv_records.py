"""Records of a CSV file (RFC 4180): strict quoting, columns with names, and a delimiter that the header line shows."""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import TextIO

from command_api.handling.validation import parse_json
from deploy.operations.load.record import Record
from deploy.operations.load.source import is_utf8
from schemas.errors import Invalid, Malformed

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SEPARATOR_LINE = re.compile(r'("?)sep=([^"\r\n])\1[\r\n]*', re.IGNORECASE)
"""The first line with which Excel names the delimiter."""
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')


def csv_records(
    text: TextIO, delimiter: str | None, usual: str | None, numbers: frozenset[str], max_cell: int
) -> Iterator[Record]:
    """Yields the records of a text that was opened with ``newline=""``; cells of the columns ``numbers`` are numbers.

    Without a ``delimiter`` and without a line that names one, the delimiter is the ``usual`` one of such files, or the only one
    in the header. A cell has at most ``max_cell`` characters. Raises `Malformed`, with the line, for an unusable header,
    a delimiter that is not certain, and a record whose quoting is broken: its end is unknown.
    """
    lines = iter(text)
    first, number = next(lines, ""), 1
    if named := _SEPARATOR_LINE.fullmatch(first):
        if delimiter not in (None, named[2]):
            raise Malformed(f"the first line names the delimiter {named[2]!r}, and --delimiter is {delimiter!r}")
        delimiter, first, number = named[2], next(lines, ""), 2
    while first and not first.strip("\r\n"):
        first, number = next(lines, ""), number + 1
    if not first:
        raise Malformed(f"line {number}: the file ends before the header line")
    header = _header(first, lines, max_cell)
    delimiter = delimiter or usual or _recognized(header, number)
    rows = _rows(chain(header, lines), delimiter, number, max_cell)
    number, cells = next(rows, (number, []))
    columns = _columns(number, cells, numbers) if cells else []
    for number, cells in rows:
        if cells:
            yield _record(number, columns, cells, numbers)


def _header(first: str, lines: Iterator[str], max_cell: int) -> list[str]:
    """Returns the lines of the header: several if a quoted name has line breaks."""
    header, quotes, length = [first], first.count('"'), len(first)
    while quotes % 2 and length <= max_cell and (line := next(lines, "")):
        header.append(line)
        quotes, length = quotes + line.count('"'), length + len(line)
    return header


def _recognized(header: list[str], number: int) -> str:
    unquoted = _QUOTED.sub("", "".join(header))
    found = [delimiter for delimiter in _DELIMITERS if delimiter in unquoted]
    if len(found) > 1:
        names = " or ".join(_DELIMITERS[delimiter] for delimiter in found)
        raise Malformed(f"line {number}: the delimiter may be {names}; name it with --delimiter")
    return found[0] if found else ","


def _rows(lines: Iterator[str], delimiter: str, number: int, max_cell: int) -> Iterator[tuple[int, list[str]]]:
    """Yields the cells of each record with its first line's number; no cells for a blank line."""
    raw: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            raw.append(line)
            yield line

    csv.field_size_limit(max_cell)
    reader, grammar = csv.reader(remembered(), delimiter=delimiter, strict=True), _grammar(delimiter)
    ends = set[bool]()
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(f"line {number}: the record that begins here is broken: {_explained(error, max_cell)}") from error
        if '"' in (record := "".join(raw)) and not grammar.fullmatch(record):
            raise Malformed(
                f"line {number}: the record that begins here is broken: a quote inside a cell without quotes; "
                "put the cell into quotes and double the quotes inside"
            )
        if record.endswith(("\r", "\n")):
            ends.add(record.endswith("\r"))
        if len(ends) > 1:
            raise Malformed(f"line {number}: ends with CR alone, and others do not: put a cell with line breaks into quotes")
        yield number, cells
        number += len(raw)
        raw.clear()


def _grammar(delimiter: str) -> re.Pattern[str]:
    """Returns the pattern of a record: the csv module accepts quotes inside cells without quotes, also if it is strict."""
    escaped = re.escape(delimiter)
    cell = rf'(?:{_QUOTED.pattern}|[^"{escaped}\r\n]*+)'
    return re.compile(rf"{cell}(?:{escaped}{cell})*+[\r\n]*+")


def _explained(error: csv.Error, max_cell: int) -> str:
    text = str(error)
    if "field limit" in text:
        return f"a cell has more than {max_cell} characters; a quote may be missing"
    if "unexpected end" in text:
        return "the file ends inside a quoted cell"
    if "expected after" in text:
        return "a quote inside a quoted cell; double the quotes inside a cell"
    return text


def _columns(number: int, cells: list[str], numbers: frozenset[str]) -> list[str]:
    """Returns the names of the columns, without blanks around them."""
    columns = [cell.strip() for cell in cells]
    if not all(map(is_utf8, columns)):
        raise Malformed(f"line {number}: the header is not UTF-8")
    if unnamed := [str(place) for place, column in enumerate(columns, start=1) if not column]:
        raise Malformed(f"line {number}: the header has no name for column {', '.join(unnamed)}")
    if repeated := sorted({column for column in columns if columns.count(column) > 1}):
        raise Malformed(f"line {number}: the header has more than one column {', '.join(repeated)}")
    if unknown := numbers - set(columns):
        raise Malformed(f"the file has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}")
    return columns


def _record(number: int, columns: list[str], cells: list[str], numbers: frozenset[str]) -> Record:
    if len(cells) != len(columns):
        return Record(number, None, f"has {len(cells)} cells, the header has {len(columns)}")
    if not all(map(is_utf8, cells)):
        return Record(number, None, "is not UTF-8")
    content = dict[str, str | float | None](zip(columns, cells, strict=True))
    for column in sorted(numbers):
        cell = cells[columns.index(column)]
        try:
            content[column] = _number(cell)
        except Malformed:
            return Record(number, None, f"{column}: {_shortened(cell)} is not a number as JSON writes it: 12, -0.5 or 1e5")
        except Invalid as error:
            return Record(number, None, f"{column}: {_shortened(cell)} {error.reasons}")
    return Record(number, content, None)


def _number(cell: str) -> float | None:
    """Returns the number in a cell, ``None`` for a blank one; raises `Malformed` or `Invalid` like the command API."""
    text = cell.strip(" \t")
    if not text:
        return None
    if text[0] not in "-0123456789":
        raise Malformed("another JSON value than a number")
    number: float = parse_json(text.encode(), 1)
    return number


def _shortened(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}…")
