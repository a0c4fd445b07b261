"""The file to load as text, in the encoding of its byte-order mark, else in UTF-8. Other files are rejected by name."""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from schemas.errors import Malformed

_HEAD_BYTES = 4096
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECOMPRESS, _EXPORT = "decompress it first", "export it as CSV or NDJSON first"
_SIGNATURES = (
    (rb"\x1f\x8b", "compressed by gzip", _DECOMPRESS),
    (rb"BZh[1-9]1AY&SY", "compressed by bzip2", _DECOMPRESS),
    (rb"\xfd7zXZ\x00", "compressed by xz", _DECOMPRESS),
    (rb"\x28\xb5\x2f\xfd", "compressed by zstd", _DECOMPRESS),
    (rb"PK\x03\x04", "a zip archive or a spreadsheet", f"{_DECOMPRESS}, or {_EXPORT}"),
    (rb"\xd0\xcf\x11\xe0", "a document of Microsoft Office", _EXPORT),
    (rb"PAR1\x15", "a Parquet file", _EXPORT),
    (rb"SQLite format 3\x00", "a SQLite database", _EXPORT),
    (rb"%PDF-\d", "a PDF document", _EXPORT),
)
"""Patterns of what such files begin with, in a way that no text does."""


@contextmanager
def open_text(path: Path, newline: Literal["", "\n"]) -> Iterator[TextIO]:
    """Opens a file as text; ``newline`` is that of `open`.

    Bytes that are not UTF-8 are read as lone surrogates, so that only their records are rejected. Raises `Malformed` for a
    file that is not text, or not of the encoding of its byte-order mark.
    """
    encoding = _encoding(path)
    is_utf8 = encoding == "utf-8-sig"
    with path.open(encoding=encoding, errors="surrogateescape" if is_utf8 else "strict", newline=newline) as text:
        try:
            yield text
        except UnicodeDecodeError as error:
            raise Malformed(f"{path} has the byte-order mark of {encoding.upper()} and is not {encoding.upper()}") from error


def first_character(path: Path) -> str:
    """Returns the first character of a file that is not blank, ``""`` if there is none; raises like `open_text`."""
    with open_text(path, "\n") as text:
        while part := text.read(_HEAD_BYTES):
            if part := part.lstrip():
                return part[0]
    return ""


def is_utf8(text: str) -> bool:
    """Returns whether a text that `open_text` read was UTF-8 in the file."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


def _encoding(path: Path) -> str:
    if not path.is_file():
        raise Malformed(f"{path} is not a file: a load reads its file twice, so it cannot be a pipe")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for signature, name, advice in _SIGNATURES:
        if re.match(signature, head):
            raise Malformed(f"{path} is {name}: {advice}")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if b"\x00" in head:
        raise Malformed(f"{path} is not text: it holds NUL bytes. UTF-16 needs a byte-order mark")
    return "utf-8-sig"
