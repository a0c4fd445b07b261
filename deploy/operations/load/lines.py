"""Lines of a file to load: NDJSON, a JSON array or CSV, read as a stream; unreadable lines are reported by number."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import orjson

from schemas.errors import Malformed

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or one element of an array."""

    number: int
    """Counted from 1; of an array, the number of the element."""
    content: dict[str, Any] | None
    problem: str | None
    """Why the line cannot be read."""
    read: int
    """Bytes of the file that were read up to the end of this line."""


def read_lines(path: Path, numbers: frozenset[str] = frozenset()) -> Iterator[Line]:
    """Yields the lines of a file; ``numbers`` names the CSV columns that hold numbers, all others hold text.

    Raises `Malformed` for a CSV file without a usable header line.
    """
    with path.open("rb") as file:
        if path.suffix.lower() == ".csv":
            yield from _csv(file, path, numbers)
        elif _first_character(file) == b"[":
            yield from _array(file)
        else:
            yield from _ndjson(file)


def _ndjson(file: BinaryIO) -> Iterator[Line]:
    read = 0
    for number, text in enumerate(file, start=1):
        read += len(text)
        if text.strip():
            yield _parsed(number, text, read)


def _parsed(number: int, text: bytes, read: int) -> Line:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Line(number, None, f"not JSON: {error}", read)
    if not isinstance(content, dict):
        return Line(number, None, "not a JSON object", read)
    return Line(number, content, None, read)


def _array(file: BinaryIO) -> Iterator[Line]:
    number = 0
    try:
        for number, content in enumerate(ijson.items(file, "item", use_float=True), start=1):
            problem = None if isinstance(content, dict) else "not a JSON object"
            yield Line(number, content if problem is None else None, problem, file.tell())
    except ijson.JSONError as error:
        why = str(error).splitlines()[0] if str(error) else "unexpected end"
        yield Line(number + 1, None, f"the array ends here: {why}", file.tell())


def _csv(file: BinaryIO, path: Path, numbers: frozenset[str]) -> Iterator[Line]:
    reader = csv.reader(_decoded(file), strict=True)
    try:
        columns = next(reader)
    except StopIteration:
        return
    except csv.Error as error:
        raise Malformed(f"{path} has no CSV header line: {error}") from error
    if repeated := sorted({column for column in columns if columns.count(column) > 1}):
        raise Malformed(f"{path} has more than one column {', '.join(repeated)}")
    if unknown := numbers - set(columns):
        raise Malformed(f"{path} has no column {', '.join(sorted(unknown))}; it has {', '.join(columns)}")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(reader.line_num, None, f"not CSV: {error}", file.tell())
            continue
        if cells:
            yield _row(reader.line_num, columns, cells, numbers, file.tell())


def _row(number: int, columns: list[str], cells: list[str], numbers: frozenset[str], read: int) -> Line:
    if len(cells) != len(columns):
        return Line(number, None, f"has {len(cells)} cells, the header has {len(columns)}", read)
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        return Line(number, None, "is not UTF-8", read)
    content: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        try:
            content[column] = _number(cell) if column in numbers else cell
        except ValueError:
            return Line(number, None, f"{column}: {cell!r} is not a number", read)
    return Line(number, content, None, read)


def _number(cell: str) -> float | int | None:
    if not cell:
        return None
    number = int(cell) if cell.lstrip("-").isdecimal() else float(cell)
    if not math.isfinite(number) or (abs(number) > _LARGEST and isinstance(number, int)):
        raise ValueError(cell)
    return number


def _decoded(file: BinaryIO) -> Iterator[str]:
    # Line by line, so that the position in the file shows the progress.
    for number, text in enumerate(iter(file.readline, b""), start=1):
        # Bytes that are not UTF-8 become lone surrogates: the row is rejected later, with its number.
        yield text.decode("utf-8-sig" if number == 1 else "utf-8", errors="surrogateescape")


def _first_character(file: BinaryIO) -> bytes:
    start = file.read(4096).lstrip()[:1]
    file.seek(0)
    return start
