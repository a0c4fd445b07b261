"""Reading: a file is read whole, or not at all."""

import zlib

import pytest
from pydicom.uid import (
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from command_api.dicom import reading
from command_api.dicom.reading import parsed
from command_api.dicom.rejections import NotDeidentifiable, Reason
from tests.unit.command_api.dicom.images import NAME, image, written


def reason_of(dicom: bytes) -> Reason:
    with pytest.raises(NotDeidentifiable) as rejected:
        parsed(dicom)
    return rejected.value.reason


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_elements_are_read_in_their_transfer_syntax(syntax: UID) -> None:
    dataset, found = parsed(written(image(), syntax))

    assert (dataset.PatientName, found) == (NAME, syntax)


def test_a_deflated_file_is_inflated() -> None:
    dataset, syntax = parsed(written(image(), DeflatedExplicitVRLittleEndian))

    assert (dataset.PatientName, syntax) == (NAME, ExplicitVRLittleEndian)


def test_a_file_that_expands_too_much_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_INFLATED_BYTES", 1_000_000)

    assert reason_of(deflated(bytes(1_000_001))) is Reason.TOO_LARGE


def test_a_deflated_file_that_is_cut_off_is_rejected() -> None:
    assert reason_of(written(image(), DeflatedExplicitVRLittleEndian)[:-9]) is Reason.DAMAGED


def test_data_behind_the_end_of_a_deflated_file_is_rejected() -> None:
    assert reason_of(deflated(written(image())[500:]) + NAME.encode()) is Reason.DAMAGED


@pytest.mark.parametrize("dicom", [b"", b"DICM", b"%PDF-1.7" + bytes(200), written(image())[128:]])
def test_other_files_are_rejected(dicom: bytes) -> None:
    assert reason_of(dicom) is Reason.NOT_DICOM


def test_a_syntax_that_nothing_here_looks_into_is_rejected() -> None:
    dicom = written(image(PixelData=b"\xfe\xff\x00\xe0\0\0\0\0"), MPEG2MPML)

    assert reason_of(dicom) is Reason.UNSUPPORTED_SYNTAX


def test_a_file_without_a_transfer_syntax_is_rejected() -> None:
    assert reason_of(bytes(128) + b"DICM" + written(image())[-200:]) is Reason.UNSUPPORTED_SYNTAX


@pytest.mark.parametrize("rest", [b"x", b"\x08\x00\x05", b"\xfe\xff\x0d\xe0\0\0\0\0" + b"more than that"])
def test_data_behind_the_last_element_is_rejected(rest: bytes) -> None:
    assert reason_of(written(image()) + rest) is Reason.DAMAGED


def deflated(data: bytes) -> bytes:
    """Returns a file whose deflated part is this."""
    meta = written(image(), DeflatedExplicitVRLittleEndian)
    end = 132 + 12 + int.from_bytes(meta[140:144], "little")
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return meta[:end] + compressor.compress(data) + compressor.flush()
