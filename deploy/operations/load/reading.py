"""The records of a file to load, and the form of the file: NDJSON, a JSON array or CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.operations.load.csv_records import csv_records
from deploy.operations.load.json_records import array_records, ndjson_records
from deploy.operations.load.record import Record
from deploy.operations.load.source import first_character, open_text
from schemas.errors import Malformed

Form = Literal["csv", "ndjson", "array"]
_TABS, _CSV, _NDJSON = {".tsv", ".tab"}, {".csv", ".psv"}, {".ndjson", ".jsonl"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How a file is read."""

    form: Form | None = None
    """``None``: by the file's name and its first character."""
    delimiter: str | None = None
    """Of CSV cells; ``None``: the one that the header shows."""
    numbers: frozenset[str] = frozenset()
    """CSV columns that hold numbers."""
    max_bytes: int
    """Largest command that the API accepts, and so the longest CSV cell in characters."""
    max_depth: int
    """Deepest nesting of a command."""


def read_records(path: Path, options: FileOptions) -> Iterator[Record]:
    """Yields the records of a file, those with problems too.

    Raises `Malformed`, with the file's name, if its form is not certain or the end of one of its records is unknown.
    """
    form = options.form or _form(path)
    if form != "csv" and (options.delimiter is not None or options.numbers):
        raise Malformed(f"{path}: --delimiter and --numbers are for CSV, and this is JSON")
    try:
        with open_text(path, "" if form == "csv" else "\n") as text:
            match form:
                case "csv":
                    usual = "\t" if path.suffix.lower() in _TABS else None
                    yield from csv_records(text, options.delimiter, usual, options.numbers, options.max_bytes)
                case "ndjson":
                    is_certain = options.form is not None or path.suffix.lower() in _NDJSON
                    yield from ndjson_records(text, options.max_depth, is_certain=is_certain)
                case "array":
                    yield from array_records(text, options.max_depth)
    except Malformed as error:
        raise Malformed(error.detail if str(path) in error.detail else f"{path}, {error.detail}") from error


def _form(path: Path) -> Form:
    suffix, first = path.suffix.lower(), first_character(path)
    if suffix in _CSV | _TABS:
        return "csv"
    if first == "[":
        return "array"
    if first in ("{", "") or suffix in _NDJSON:
        return "ndjson"
    raise Malformed(f"{path} is not JSON: name its form with --format csv, ndjson or array")
