"""The pixels of an image: they are all there, and nothing else is among them."""

import struct
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import UID

from command_api.dicom.codestreams import check_jpeg, check_jpeg_2000
from command_api.dicom.profile import PIXELS
from command_api.dicom.reading import JPEG, JPEG_2000
from command_api.dicom.rejections import NotDeidentifiable, Reason

_REQUIRED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Rows",
    "Columns",
    "BitsAllocated",
    "SamplesPerPixel",
    "PhotometricInterpretation",
)
_ITEM = 0xE000FFFE
"""The tag of a fragment, as a number in little-endian order."""
_DESCRIPTION = ("NumberOfFrames", "PlanarConfiguration", "BitsStored", "HighBit", "PixelRepresentation")
"""An image may lack these; one that has them with a value that is not clean could not be read without them."""


def check_pixels(image: Dataset, syntax: UID, original: Dataset) -> None:
    """Raises `NotDeidentifiable` if a cleaned data set is no image, lacks pixels, or has bytes beside them.

    Each element of the original that describes the pixels must be in it: nobody could read the image without them.
    """
    found = [tag for tag in PIXELS if tag in image]
    if len(found) != 1:
        raise NotDeidentifiable(Reason.NOT_AN_IMAGE)
    if any(image.get(keyword) in (None, "") for keyword in _REQUIRED) or any(
        keyword in original and keyword not in image for keyword in _DESCRIPTION
    ):
        raise NotDeidentifiable(Reason.INCOMPLETE)
    pixels = image[found[0]]
    if syntax.is_encapsulated != pixels.is_undefined_length or not isinstance(pixels.value, bytes):
        raise NotDeidentifiable(Reason.DAMAGED)
    if syntax.is_encapsulated:
        _check_frames(pixels.value, syntax)
    else:
        swaps = pixels.VR == "OW" and not syntax.is_little_endian
        _check_native(pixels.value, get_expected_length(image), last_word_swapped=swaps)


def _check_native(pixels: bytes, expected: int, *, last_word_swapped: bool) -> None:
    if len(pixels) < expected or expected <= 0:
        raise NotDeidentifiable(Reason.DAMAGED)
    beyond = pixels[expected:]
    if last_word_swapped and expected % 2:  # the byte that fills the last word comes before the last byte of the pixels
        beyond = pixels[expected - 1 : expected] + pixels[expected + 1 :]
    if beyond.strip(b"\0"):
        raise NotDeidentifiable(Reason.FOREIGN_DATA)


def _check_frames(pixels: bytes, syntax: UID) -> None:
    fragments = list(_fragments(pixels))[1:]  # the first is the table of offsets
    if not fragments:
        raise NotDeidentifiable(Reason.DAMAGED)
    if syntax in JPEG:
        check_jpeg(b"".join(fragments))
    elif syntax in JPEG_2000:
        check_jpeg_2000(b"".join(fragments))


def _fragments(pixels: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(pixels):
        if at + 8 > len(pixels):
            raise NotDeidentifiable(Reason.DAMAGED)
        tag, length = struct.unpack_from("<LL", pixels, at)
        fragment = pixels[at + 8 : at + 8 + length]
        if tag != _ITEM or len(fragment) != length:
            raise NotDeidentifiable(Reason.DAMAGED)
        yield fragment
        at += 8 + length
