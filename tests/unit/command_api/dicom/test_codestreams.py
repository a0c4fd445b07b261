"""Compressed frames: comments and records of cameras are found, names of encoders are no such data."""

import pytest

from command_api.dicom.codestreams import check_jpeg, check_jpeg_2000
from command_api.dicom.rejections import NotDeidentifiable, Reason

SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56"
TILE = b"\xff\x90\x00\x0a\x00\x00\x00\x00\x00\x12\x00\x01" + b"\xff\x93" + b"\xff\x01\x02\x03"


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + segment(0xDB, bytes(65)) + SCAN + b"\xff\xd9"


def jpeg_2000(*segments: bytes, end: bytes = b"\xff\xd9") -> bytes:
    return b"\xff\x4f" + segment(0x51, bytes(38)) + b"".join(segments) + TILE + end


JFIF = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")


@pytest.mark.parametrize(
    "stream",
    [
        jpeg(),
        jpeg(JFIF),
        jpeg(segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")),
        jpeg(segment(0xE8, b"mrfx\x01")),
        jpeg(segment(0xFE, b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n")),
        jpeg() + b"\0" + jpeg(JFIF) + b"\0\xff",
    ],
)
def test_jpeg_streams_of_pixels_are_accepted(stream: bytes) -> None:
    check_jpeg(stream)


@pytest.mark.parametrize(
    "stream",
    [
        jpeg(segment(0xFE, b"Alonso Quijano")),
        jpeg(segment(0xE1, b"Exif\0\0Alonso")),
        jpeg(segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01abc")),
        jpeg(segment(0xED, b"Photoshop 3.0")),
        jpeg() + b"Alonso",
        jpeg() + jpeg(segment(0xFE, b"Alonso Quijano")),
        b"Alonso" + jpeg(),
    ],
)
def test_foreign_data_in_a_jpeg_stream_is_rejected(stream: bytes) -> None:
    with pytest.raises(NotDeidentifiable) as rejected:
        check_jpeg(stream)
    assert rejected.value.reason is Reason.FOREIGN_DATA


@pytest.mark.parametrize("cut", range(1, len(jpeg(JFIF))))
def test_a_jpeg_stream_that_is_cut_off_is_rejected(cut: int) -> None:
    with pytest.raises(NotDeidentifiable):
        check_jpeg(jpeg(JFIF)[:-cut] + b"\x01")


@pytest.mark.parametrize(
    "stream",
    [
        jpeg_2000(),
        jpeg_2000(end=b""),
        jpeg_2000(segment(0x64, b"\0\x01Kakadu-v6.3.1")),
        jpeg_2000(segment(0x64, b"\0\x01Created by OpenJPEG version 2.5.0")) + b"\0" + jpeg_2000(),
    ],
)
def test_jpeg_2000_streams_of_pixels_are_accepted(stream: bytes) -> None:
    check_jpeg_2000(stream)


@pytest.mark.parametrize(
    "stream",
    [
        jpeg_2000(segment(0x64, b"\0\x01Alonso Quijano")),
        jpeg_2000(segment(0x64, b"\0\0Kakadu-v6.3.1")),
        jpeg_2000() + b"Alonso",
        b"\0\0\0\x0cjP  \r\n\x87\n" + jpeg_2000(),
    ],
)
def test_foreign_data_in_a_jpeg_2000_stream_is_rejected(stream: bytes) -> None:
    with pytest.raises(NotDeidentifiable) as rejected:
        check_jpeg_2000(stream)
    assert rejected.value.reason is Reason.FOREIGN_DATA


def test_a_tile_that_is_cut_off_is_rejected() -> None:
    with pytest.raises(NotDeidentifiable) as rejected:
        check_jpeg_2000(jpeg_2000()[:-4])
    assert rejected.value.reason is Reason.DAMAGED
