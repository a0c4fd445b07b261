"""De-identification: no value that identifies somebody is in the file afterwards, or the file is rejected by name."""

import pickle
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from traceback import format_exception

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from command_api.dicom.deidentification import Deidentified, deidentified
from command_api.dicom.rejections import NotDeidentifiable, Reason
from schemas.errors import Misconfigured
from tests.unit.command_api.dicom.images import (
    NAME,
    PIXELS,
    SECRET,
    elements,
    fragments,
    image,
    opened,
    shipped,
    texts,
    written,
)

IDENTIFYING = {"AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UN", "UR", "UT"}
CODES = {"CodeValue", "CodingSchemeDesignator", "CodeMeaning", "RescaleType"}
"""Elements of text that the profile keeps if the standard knows their values."""
FILES = shipped()
PUBLISHED = 51
"""So many of pydicom's files are published."""


def published() -> Iterator[tuple[Path, Dataset, Deidentified]]:
    for path in FILES:
        try:
            result = deidentified(path.read_bytes(), SECRET)
        except NotDeidentifiable:
            continue
        yield path, dcmread(path), result


@pytest.fixture(scope="module")
def results() -> list[tuple[Path, Dataset, Deidentified]]:
    """The files that pydicom ships and that are published, before and after."""
    return list(published())


def identifying(dataset: Dataset) -> set[str]:
    """Returns the values of elements that a published file may not have."""
    return {
        text
        for element in [*dataset.file_meta, *elements(dataset)]
        if element.VR in IDENTIFYING and element.keyword not in CODES
        for text in texts(element)
        if len(text) > 3 and text.strip("0.") and UID(text).name == text
    }


def without_pixels(dicom: bytes) -> bytes:
    return dicom.replace(opened(dicom).PixelData, b"")


pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")


def test_the_shipped_files_are_published_or_rejected_by_name(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    reasons: dict[Reason, int] = {}
    for path in FILES:
        try:
            deidentified(path.read_bytes(), SECRET)
        except NotDeidentifiable as error:
            reasons[error.reason] = reasons.get(error.reason, 0) + 1

    assert len(results) == PUBLISHED
    assert reasons == {
        Reason.NOT_AN_IMAGE: 80,
        Reason.TEXT_IN_PIXELS: 50,
        Reason.NOT_DICOM: 4,
        Reason.FOREIGN_DATA: 2,
        Reason.DAMAGED: 2,
        Reason.INCOMPLETE: 2,
        Reason.UNSUPPORTED_SYNTAX: 1,
    }


def test_no_identifying_value_is_in_an_element_or_in_the_bytes(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    leaks = []
    for path, before, result in results:
        values = identifying(before)
        after = opened(result.dicom)
        found = [text for one in [*after.file_meta, *elements(after)] if one.VR not in ("OB", "OW") for text in texts(one)]
        rest = without_pixels(result.dicom)
        leaks += [(path.name, value) for value in values if any(value in text for text in found) or value.encode() in rest]
        assert values, path

    assert leaks == []


def test_no_private_element_is_left_at_any_depth(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    assert any(one.tag.is_private for _, before, _ in results for one in elements(before))
    for path, _, result in results:
        assert [one for one in elements(opened(result.dicom)) if one.tag.is_private] == [], path


def test_uids_are_changed_and_consistent(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    pairs: dict[str, str] = {}
    for _, before, result in results:
        after = opened(result.dicom)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
            if before.get(keyword):
                assert pairs.setdefault(before[keyword].value, after[keyword].value) == after[keyword].value
        assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID

    assert all(old != new and new.startswith("2.25.") for old, new in pairs.items())
    assert len(set(pairs.values())) == len(pairs) > 50


def test_pixels_are_not_changed(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    for path, before, result in results:
        assert opened(result.dicom).PixelData == before.PixelData, path


def test_the_same_bytes_give_the_same_bytes(results: list[tuple[Path, Dataset, Deidentified]]) -> None:
    assert [again.dicom for _, _, again in published()] == [result.dicom for _, _, result in results]


def test_a_published_file_is_published_again_without_a_change_of_its_elements() -> None:
    once = deidentified(written(image()), SECRET)
    twice = deidentified(once.dicom, SECRET)

    assert {one.tag for one in opened(once.dicom)} == {one.tag for one in opened(twice.dicom)}


def test_a_result_names_facts_of_the_image_alone() -> None:
    result = deidentified(written(image()), SECRET)

    assert result.modality == "CT"
    assert result.transfer_syntax == ExplicitVRLittleEndian
    assert (result.rows, result.columns, result.frames) == (4, 4, 1)
    assert pickle.loads(pickle.dumps(result)) == result


def test_the_file_says_that_it_is_deidentified_and_how() -> None:
    after = opened(deidentified(written(image()), SECRET).dicom)

    assert after.PatientIdentityRemoved == "YES"
    assert "PS3.15" in after.DeidentificationMethod
    assert [one.CodeValue for one in after.DeidentificationMethodCodeSequence] == ["113100"]
    assert after.LongitudinalTemporalInformationModified == "REMOVED"
    assert after.PatientName == after.PatientID == after.StudyDate == ""


def test_the_preamble_and_the_file_meta_are_written_anew() -> None:
    dataset = image()
    written(dataset)
    dataset.file_meta.SourceApplicationEntityTitle = "LA MANCHA"
    dataset.file_meta.ImplementationVersionName = "ROCINANTE"
    dataset.preamble = b"Alonso".ljust(128)
    dataset.save_as(file := BytesIO(), enforce_file_format=True)
    dicom = file.getvalue()
    assert b"LA MANCHA" in dicom

    result = deidentified(dicom, SECRET).dicom

    assert result[:132] == bytes(128) + b"DICM"
    assert all(word not in result for word in (b"LA MANCHA", b"ROCINANTE", b"Alonso"))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_the_transfer_syntax_stays(syntax: UID) -> None:
    result = deidentified(written(image(), syntax), SECRET)

    assert result.transfer_syntax == opened(result.dicom).file_meta.TransferSyntaxUID == syntax
    assert opened(result.dicom).PixelData == PIXELS


def test_a_deflated_file_is_written_inflated() -> None:
    deflated = deidentified(written(image(), DeflatedExplicitVRLittleEndian), SECRET)

    assert deflated == deidentified(written(image()), SECRET)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"BurnedInAnnotation": "YES"}, Reason.TEXT_IN_PIXELS),
        ({"Modality": "US"}, Reason.TEXT_IN_PIXELS),
        ({"PixelData": None}, Reason.NOT_AN_IMAGE),
        ({"SOPClassUID": "1.3.12.2.1107.5.9.1"}, Reason.NOT_AN_IMAGE),
        ({"PixelData": PIXELS + NAME.encode()}, Reason.FOREIGN_DATA),
        ({"Rows": 5}, Reason.DAMAGED),
    ],
)
def test_images_that_cannot_be_clean_are_rejected(values: dict[str, object], reason: Reason) -> None:
    with pytest.raises(NotDeidentifiable) as rejected:
        deidentified(written(image(**values)), SECRET)
    assert rejected.value.reason is reason


def test_a_vr_that_nobody_knows_is_rejected() -> None:
    dicom = written(image()).replace(b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00ZZ")

    with pytest.raises(NotDeidentifiable) as rejected:
        deidentified(dicom, SECRET)
    assert rejected.value.reason is Reason.UNKNOWN_VR


def test_a_file_that_is_cut_off_anywhere_is_rejected() -> None:
    functional = Dataset()
    functional.PixelMeasuresSequence = [Dataset()]
    functional.PixelMeasuresSequence[0].SliceThickness = "2"
    dicom = written(image(SharedFunctionalGroupsSequence=[functional]))
    for end in range(len(dicom)):
        with pytest.raises(NotDeidentifiable):
            deidentified(dicom[:end], SECRET)


@pytest.mark.parametrize("is_defined", [True, False])
def test_deep_nesting_is_rejected(is_defined: bool) -> None:
    nested = b""
    for _ in range(2_000):
        length = (len(nested) + 8).to_bytes(4, "little") if is_defined else b"\xff" * 4
        item = len(nested).to_bytes(4, "little") if is_defined else b"\xff" * 4
        ends = b"" if is_defined else b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
        nested = b"\x08\x00\x12\x21SQ\0\0" + length + b"\xfe\xff\x00\xe0" + item + nested + ends
    dicom = written(image())
    at = dicom.index(b"\x10\x00\x10\x00PN")

    with pytest.raises(NotDeidentifiable) as rejected:
        deidentified(dicom[:at] + nested + dicom[at:], SECRET)
    assert rejected.value.reason is Reason.TOO_DEEP


def test_an_empty_secret_is_an_error_of_the_installation() -> None:
    with pytest.raises(Misconfigured):
        deidentified(written(image()), b"")


def test_texts_are_in_ascii_for_every_character_set() -> None:
    result = deidentified(written(image(SpecificCharacterSet="ISO_IR 192", PatientName="Ibáñez^José")), SECRET).dicom

    assert "SpecificCharacterSet" not in opened(result)
    assert "Ibáñez".encode() not in result


def test_compressed_pixels_that_are_cut_off_are_rejected_as_damaged() -> None:
    dicom = written(image(PixelData=fragments(bytes(64))), RLELossless)
    assert deidentified(dicom, SECRET).transfer_syntax == RLELossless

    with pytest.raises(NotDeidentifiable) as rejected:
        deidentified(dicom[:-20], SECRET)
    assert rejected.value.reason is Reason.DAMAGED


def test_no_error_and_no_log_quotes_the_file(caplog: pytest.LogCaptureFixture) -> None:
    surname = NAME.partition("^")[0]
    dicom = written(image(SpecificCharacterSet="ISO_IR 100", PixelData=fragments(bytes(64))), RLELossless)[:-20]

    with pytest.raises(NotDeidentifiable) as rejected:
        deidentified(dicom.replace(b"ISO_IR 100", surname.ljust(10).encode()), SECRET)

    assert rejected.value.__cause__ is None
    assert surname not in "".join(format_exception(rejected.value))
    assert surname not in caplog.text


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_are_rejected(data: bytes) -> None:
    for dicom in (data, bytes(128) + b"DICM" + data):
        with pytest.raises(NotDeidentifiable):
            deidentified(dicom, SECRET)


@given(st.integers(132, len(written(image())) - 1), st.binary(min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_clean_or_rejected(at: int, noise: bytes) -> None:
    dicom = written(image())
    try:
        result = deidentified(dicom[:at] + noise + dicom[at + len(noise) :], SECRET)
    except NotDeidentifiable:
        return
    assert b"Quijano" not in result.dicom
    assert b"79123456" not in result.dicom
