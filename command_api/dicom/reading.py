"""Reading of DICOM files whose senders are not trusted: a file is read whole, or not at all.

pydicom reads what it can of a damaged file. Here a file that ends too early, or goes on after its last element, is rejected.
"""

import zlib
from io import BytesIO
from typing import NamedTuple

from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from command_api.dicom.rejections import NotDeidentifiable, Reason

MAX_INFLATED_BYTES = 256 * 1024**2
"""Four times the largest file that callers accept: a small deflated file may expand a thousandfold."""
JPEG = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless})
JPEG_2000 = frozenset({JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K})
_NATIVE = frozenset({ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian})
_SYNTAXES = _NATIVE | JPEG | JPEG_2000 | {RLELossless}
"""Videos are missing because they may have sound and subtitles, others because nothing here looks into them."""
_PREAMBLE_BYTES = 128
_PREFIX = b"DICM"
_HEADER_BYTES = 8
_TRAILER_BYTES = 8
"""Bytes of a checksum and a length that some compressors add; they are dropped."""


class Parsed(NamedTuple):
    """A file's elements, and the transfer syntax in which they are written again."""

    dataset: Dataset
    syntax: UID


def parsed(dicom: bytes) -> Parsed:
    """Returns the elements of a file; raises `NotDeidentifiable`, or any error of pydicom's if the file is damaged.

    A deflated file is inflated, up to 256 MiB, and has the transfer syntax Explicit VR Little Endian afterwards: its bytes then
    do not depend on the version of a compressor, and no reader has to guard against its expansion.
    """
    if dicom[_PREAMBLE_BYTES : _PREAMBLE_BYTES + len(_PREFIX)] != _PREFIX:
        raise NotDeidentifiable(Reason.NOT_DICOM)
    file = _File(dicom)
    file.seek(_PREAMBLE_BYTES + len(_PREFIX))
    meta = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_is_behind_meta)
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    if syntax not in _SYNTAXES:
        raise NotDeidentifiable(Reason.UNSUPPORTED_SYNTAX)
    if syntax == DeflatedExplicitVRLittleEndian:
        file, syntax = _File(_inflated(file.read())), ExplicitVRLittleEndian
    dataset = read_dataset(file, syntax.is_implicit_VR, syntax.is_little_endian)
    if file.read(1):
        raise NotDeidentifiable(Reason.DAMAGED)
    return Parsed(dataset, syntax)


class _File(BytesIO):
    """A file that notices an end within the header of an element, which pydicom takes for the end of the file."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size == _HEADER_BYTES and 0 < len(data) < _HEADER_BYTES:
            raise NotDeidentifiable(Reason.DAMAGED)
        return data


def _is_behind_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag.group != 0x0002


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, MAX_INFLATED_BYTES + 1)
    if len(inflated) > MAX_INFLATED_BYTES:
        raise NotDeidentifiable(Reason.TOO_LARGE)
    if not inflater.eof or len(inflater.unused_data) > _TRAILER_BYTES:
        raise NotDeidentifiable(Reason.DAMAGED)
    return inflated
