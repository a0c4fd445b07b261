"""Pixels: they are all there, and nothing else is among them."""

import pytest
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from command_api.dicom.pixels import check_pixels
from command_api.dicom.rejections import NotDeidentifiable, Reason
from tests.unit.command_api.dicom.images import PIXELS, fragments, image


def reason_of(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian, original: Dataset | None = None) -> Reason:
    with pytest.raises(NotDeidentifiable) as rejected:
        check_pixels(dataset, syntax, original or dataset)
    return rejected.value.reason


def compressed(pixels: bytes) -> Dataset:
    dataset = image(PixelData=pixels)
    dataset["PixelData"].is_undefined_length = True
    return dataset


@pytest.mark.parametrize("padding", [b"", b"\0", bytes(100)])
def test_whole_pixels_are_accepted(padding: bytes) -> None:
    dataset = image(PixelData=PIXELS + padding)

    check_pixels(dataset, ExplicitVRLittleEndian, dataset)


def test_a_file_without_pixels_is_no_image() -> None:
    assert reason_of(image(PixelData=None)) is Reason.NOT_AN_IMAGE


def test_pixels_that_are_cut_off_are_rejected() -> None:
    assert reason_of(image(PixelData=PIXELS[:-1])) is Reason.DAMAGED


def test_data_behind_the_pixels_is_rejected() -> None:
    assert reason_of(image(PixelData=PIXELS + b"Alonso")) is Reason.FOREIGN_DATA


def test_the_byte_that_fills_the_last_word_of_big_endian_pixels_is_no_foreign_data() -> None:
    odd = image(Rows=3, Columns=3, BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=bytes(range(1, 9)) + b"\0\x09")
    odd["PixelData"].VR = "OW"

    check_pixels(odd, ExplicitVRBigEndian, odd)
    odd["PixelData"].value = bytes(range(1, 9)) + b"A\x09"
    assert reason_of(odd, ExplicitVRBigEndian) is Reason.FOREIGN_DATA


@pytest.mark.parametrize("keyword", ["Rows", "BitsAllocated", "PhotometricInterpretation", "SOPInstanceUID", "SOPClassUID"])
def test_pixels_without_a_description_are_rejected(keyword: str) -> None:
    assert reason_of(image(**{keyword: None})) is Reason.INCOMPLETE


def test_a_description_that_was_not_clean_is_rejected() -> None:
    assert reason_of(image(), original=image(NumberOfFrames="2")) is Reason.INCOMPLETE


def test_fragments_are_accepted_if_nothing_is_between_them() -> None:
    dataset = compressed(fragments(bytes(64), bytes(64)))

    check_pixels(dataset, RLELossless, dataset)


@pytest.mark.parametrize("pixels", [fragments(), fragments(bytes(64)) + b"Alonso", fragments(bytes(64))[:-1], b"Alonso" * 9])
def test_broken_fragments_are_rejected(pixels: bytes) -> None:
    assert reason_of(compressed(pixels), RLELossless) is Reason.DAMAGED


def test_plain_pixels_in_a_compressed_file_are_rejected() -> None:
    assert reason_of(image(), RLELossless) is Reason.DAMAGED
    assert reason_of(compressed(fragments(bytes(64)))) is Reason.DAMAGED


def test_comments_of_all_frames_are_found() -> None:
    frame = b"\xff\xd8\xff\xda\x00\x02\x12\xff\xd9"
    dataset = compressed(fragments(frame, frame))
    check_pixels(dataset, JPEGBaseline8Bit, dataset)

    commented = frame[:2] + b"\xff\xfe\x00\x08Alonso" + frame[2:]
    assert reason_of(compressed(fragments(frame, commented)), JPEGBaseline8Bit) is Reason.FOREIGN_DATA
