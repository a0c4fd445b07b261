"""Compressed frames: JPEG, JPEG-LS and JPEG 2000 streams, which may hold comments and records of cameras beside the pixels.

Pixels are not changed, so a stream with foreign data is rejected. The names that encoders leave of themselves are no such data.
"""

import re

from command_api.dicom.rejections import NotDeidentifiable, Reason

_ENCODERS = re.compile(
    rb"(?:"
    rb"Kakadu-v?[\d.]+|Kdu-Layer-Info: log_2\{[\w()/-]+\}, L\(bytes\)\s[-+\d.,e\s]*"
    rb"|Created by (?:GDCM/)?OpenJPEG version [\d.]+|Creator: JasPer Version [\d.]+|Aware JPEG[ -]?2000[\w. ]{0,20}"
    rb"|LEAD Technologies,? Inc\.? V[\d.]+|Lavc[\d.]+|JPEG Encoder Copyright 1998, James R\. Weeks and BioElectroMech\.?"
    rb"|CREATOR: gd-jpeg v[\d.]+ \(using IJG JPEG v\d+\), (?:quality = \d+|default quality)"
    rb")[\0\s]*"
)
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_APP0, _APP8, _APP14, _APP15, _COMMENT = 0xE0, 0xE8, 0xEE, 0xEF, 0xFE
_RESTARTS = range(0xD0, 0xD8)
_AFTER_SCAN = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""In the bytes of a scan, 0xFF is followed by a smaller byte, or by the number of a restart."""
_JPEG_2000_START, _JPEG_2000_END, _TILE, _TILE_DATA, _JPEG_2000_COMMENT = 0xFF4F, 0xFFD9, 0xFF90, 0xFF93, 0xFF64
_TEXT = 1
_PADDING = re.compile(rb"(?:\0|\xff(?=[\0\xff]|\Z))*")


def check_jpeg(data: bytes) -> None:
    """Raises `NotDeidentifiable` if JPEG or JPEG-LS streams, one after the other, hold anything but pixels."""
    at = 0
    while (at := _after_padding(data, at)) < len(data):
        at = _end_of_jpeg(data, at)


def check_jpeg_2000(data: bytes) -> None:
    """Raises `NotDeidentifiable` if JPEG 2000 streams, one after the other, hold anything but pixels."""
    at = 0
    while (at := _after_padding(data, at)) < len(data):
        at = _end_of_jpeg_2000(data, at)


def _end_of_jpeg(data: bytes, at: int) -> int:
    if _number(data, at) != 0xFF00 | _START:
        raise NotDeidentifiable(Reason.FOREIGN_DATA)
    at += 2
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        marker = _number(data, at) ^ 0xFF00
        at += 2
        if marker == _END:
            return at
        if marker in _RESTARTS:
            continue
        if marker > 0xFF:
            raise NotDeidentifiable(Reason.DAMAGED)
        segment = _segment(data, at)
        at += 2 + len(segment)
        if _APP0 <= marker <= _APP15 or marker == _COMMENT:
            _check_segment(marker, segment)
        if marker == _SCAN:
            found = _AFTER_SCAN.search(data, at)
            if found is None:
                raise NotDeidentifiable(Reason.DAMAGED)
            at = found.start()


def _check_segment(marker: int, segment: bytes) -> None:
    is_known = {
        _APP0: segment[:5] == b"JFIF\0" and len(segment) == 14,
        _APP8: (segment[:6] == b"SPIFF\0" and len(segment) == 30)
        or (segment[:4] == b"mrfx" and len(segment) == 5)
        or segment == b"\0\0\0\x01\xff\xd8",  # the end of the directory of SPIFF, which holds a second start of the image
        _APP14: segment[:5] == b"Adobe" and len(segment) == 12,
        _COMMENT: _ENCODERS.fullmatch(segment) is not None or not segment.strip(b"\0 "),
    }
    if not is_known.get(marker, False):
        raise NotDeidentifiable(Reason.FOREIGN_DATA)


def _end_of_jpeg_2000(data: bytes, at: int) -> int:
    if _number(data, at) != _JPEG_2000_START:
        raise NotDeidentifiable(Reason.FOREIGN_DATA)
    at += 2
    end_of_tile = 0
    while at < len(data):
        marker = _number(data, at)
        if marker == _JPEG_2000_END:
            return at + 2
        if marker == _TILE_DATA:
            at = end_of_tile
            continue
        segment = _segment(data, at + 2)
        if marker == _TILE:
            length = int.from_bytes(segment[2:6], "big")
            end_of_tile = at + length if length else _find_end(data, at)
            if not at < end_of_tile <= len(data):
                raise NotDeidentifiable(Reason.DAMAGED)
        if marker == _JPEG_2000_COMMENT and not (_number(segment, 0) == _TEXT and _ENCODERS.fullmatch(segment[2:])):
            raise NotDeidentifiable(Reason.FOREIGN_DATA)
        at += 2 + 2 + len(segment)
    return at


def _find_end(data: bytes, at: int) -> int:
    # Bytes of a tile never look like this marker.
    found = data.find(_JPEG_2000_END.to_bytes(2, "big"), at)
    return found if found >= 0 else len(data)


def _segment(data: bytes, at: int) -> bytes:
    """Returns the content of a segment, which begins with its length."""
    length = _number(data, at)
    segment = data[at + 2 : at + length]
    if length < 2 or len(segment) != length - 2:
        raise NotDeidentifiable(Reason.DAMAGED)
    return segment


def _number(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise NotDeidentifiable(Reason.DAMAGED)
    return int.from_bytes(data[at : at + 2], "big")


def _after_padding(data: bytes, at: int) -> int:
    found = _PADDING.match(data, at)
    return found.end() if found else at
