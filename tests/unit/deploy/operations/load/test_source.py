"""The file to load as text: other files are rejected by name, before anything is sent."""

import gzip
import os
from pathlib import Path

import pytest

from deploy.operations.load.source import first_character, is_utf8, open_text
from schemas.errors import Malformed


def content(path: Path) -> str:
    with open_text(path, "\n") as text:
        return text.read()


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "is compressed by gzip: decompress it first"),
        (b"BZh91AY&SY", "is compressed by bzip2"),
        (b"PK\x03\x04\x14\x00", "is a zip archive or a spreadsheet"),
        (b"\x28\xb5\x2f\xfd\x00", "is compressed by zstd"),
        (b"\xfd7zXZ\x00", "is compressed by xz"),
        (b"PAR1\x15", "is a Parquet file: export it"),
        (b"SQLite format 3\x00", "is a SQLite database"),
        (b"%PDF-1.7", "is a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a document of Microsoft Office"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is not text: it holds NUL bytes. UTF-16 needs a byte-order mark"),
        (b"\x7fELF\x02\x00", "is not text"),
    ],
)
def test_a_file_that_is_not_text_is_rejected_by_name(tmp_path: Path, head: bytes, why: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(head)

    with pytest.raises(Malformed, match=rf"x\.csv {why}"):
        content(file)


@pytest.mark.parametrize("body", [b"a\x00b", b"\x00\xd8a\x00"])
def test_text_that_is_not_of_its_byte_order_mark_is_rejected(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xff\xfe" + body)

    with pytest.raises(Malformed, match="has the byte-order mark of UTF-16 and is not UTF-16"):
        content(file)


def test_bytes_that_are_not_utf8_are_kept_apart_from_text(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes("é\n".encode() + b"\xe9\n")

    good, bad = content(file).splitlines()

    assert (is_utf8(good), is_utf8(bad)) == (True, False)


def test_a_pipe_is_rejected_because_it_can_be_read_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(Malformed, match="is not a file: a load reads its file twice"):
        content(tmp_path / "pipe")


@pytest.mark.parametrize("text", ["BZh,PAR1\n", "PAR1,b\n", "PK,b\n", "%PDF,b\n"])
def test_a_column_may_be_called_like_a_kind_of_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text)

    assert content(tmp_path / "x.csv") == text


def test_the_first_character_is_not_blank_and_no_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"\xef\xbb\xbf" + b" \n" * 5000 + b"[1]")

    assert first_character(file) == "["
