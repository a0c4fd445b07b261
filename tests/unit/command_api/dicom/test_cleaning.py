"""Cleaning: what the profile keeps is clean at every depth, and UIDs are replaced."""

import re

import pytest
from pydicom import DataElement, Dataset, Sequence
from pydicom.uid import CTImageStorage

from command_api.dicom.cleaning import MAX_DEPTH, Cleaner, pseudonymous_uid
from command_api.dicom.rejections import NotDeidentifiable, Reason
from tests.unit.command_api.dicom.images import SECRET, elements, image, opened, texts, written


def cleaned(dataset: Dataset) -> Dataset:
    original = opened(written(dataset))
    return Cleaner(SECRET, original).cleaned(original)


def item(**values: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_uid_is_replaced_by_the_same_uid_for_the_same_secret_alone() -> None:
    uid = pseudonymous_uid(SECRET, "1.2.3")

    assert re.fullmatch(r"2\.25\.[1-9]\d{30,38}", uid)
    assert uid == pseudonymous_uid(SECRET, "1.2.3\0")
    assert uid != pseudonymous_uid(SECRET, "1.2.4")
    assert uid != pseudonymous_uid(SECRET + b"!", "1.2.3")


@pytest.mark.parametrize("uid", [CTImageStorage, "1.2.840.10008.1.4.1.1", ""])
def test_uids_of_the_standard_stay(uid: str) -> None:
    assert pseudonymous_uid(SECRET, uid) == uid


def test_a_uid_that_only_looks_like_one_of_the_standard_is_replaced() -> None:
    assert pseudonymous_uid(SECRET, "1.2.840.10008.79123456").startswith("2.25.")


def test_a_sequence_that_stays_is_clean_at_every_depth() -> None:
    deep = item(PatientName="Quijano^Alonso", SliceThickness="2", PatientComments="Alonso")
    deep.add_new(0x00091001, "LO", "Alonso")
    middle = item(PixelMeasuresSequence=[deep], InstitutionName="La Mancha")
    middle.private_block(0x0011, "Alonso", create=True).add_new(1, "LT", "Alonso")

    result = cleaned(image(SharedFunctionalGroupsSequence=[middle]))

    measures = result.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SliceThickness == 2
    assert not measures.PatientName
    assert [one for one in elements(result) if one.tag.is_private] == []
    assert [one for one in elements(result) if "Alonso" in str(one.value)] == []


def test_an_empty_item_keeps_its_place_among_others() -> None:
    frames = [item(PatientComments="Alonso"), item(FrameContentSequence=[item(DimensionIndexValues=[1])])]

    result = cleaned(image(PerFrameFunctionalGroupsSequence=frames))

    assert [len(one) for one in result.PerFrameFunctionalGroupsSequence] == [0, 1]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BodyPartExamined", "Alonso"),
        ("BodyPartExamined", "QUIJANO"),
        ("BodyPartExamined", "ALONSO CHEST"),
        ("BodyPartExamined", "79123456"),
        ("RescaleType", "Alonso"),
        ("KVP", "Alonso"),
        ("ExposureTime", "Alonso"),
        ("LossyImageCompressionRatio", ["1.0", "Alonso"]),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_text_in_an_element_of_codes_or_numbers_is_removed(keyword: str, value: object) -> None:
    dataset = image()
    dataset.add(DataElement(keyword, "LO", value))

    assert keyword not in cleaned(dataset)
    dataset[keyword].VR = "CS"
    assert keyword not in cleaned(dataset)


@pytest.mark.parametrize(
    ("keyword", "value"), [("BodyPartExamined", "CHEST"), ("RescaleType", "HU"), ("KVP", "120"), ("ExposureTime", "1601")]
)
def test_codes_terms_and_numbers_stay(keyword: str, value: str) -> None:
    assert texts(cleaned(image(**{keyword: value}))[keyword]) == [value]


def test_numbers_that_are_too_many_for_their_element_are_removed() -> None:
    dataset = image()
    dataset.add_new("SmallestImagePixelValue", "US", [0x6C41, 0x6E6F, 0x6F73])

    assert "SmallestImagePixelValue" not in cleaned(dataset)


def test_codes_of_the_standard_stay_with_its_meaning() -> None:
    region = item(CodeValue="80891009", CodingSchemeDesignator="SCT", CodeMeaning="Alonso's heart")
    old = item(CodeValue="T-32000", CodingSchemeDesignator="SRT", CodeMeaning="Alonso's heart")

    result = cleaned(image(AnatomicRegionSequence=[region, old]))

    assert [one.CodeMeaning for one in result.AnatomicRegionSequence] == ["Heart structure (body structure)", "T-32000"]


def test_codes_that_nobody_knows_are_removed() -> None:
    region = item(CodeValue="ALONSO", CodingSchemeDesignator="99MANCHA", CodeMeaning="Alonso's heart")

    assert "AnatomicRegionSequence" not in cleaned(image(AnatomicRegionSequence=[region]))


def test_pixels_in_an_item_are_removed() -> None:
    referenced = item(ReferencedSOPInstanceUID="1.2.3", PixelData=b"Alonso")
    referenced["PixelData"].VR = "OW"

    result = cleaned(image(SourceImageSequence=[referenced]))

    assert "PixelData" not in result.SourceImageSequence[0]
    assert result.SourceImageSequence[0].ReferencedSOPInstanceUID == pseudonymous_uid(SECRET, "1.2.3")


def test_too_many_levels_are_rejected() -> None:
    nested = item(SliceThickness="2")
    for _ in range(MAX_DEPTH):
        nested = item(SourceImageSequence=Sequence([nested]))
    Cleaner(SECRET, Dataset()).cleaned(nested)

    with pytest.raises(NotDeidentifiable) as rejected:
        Cleaner(SECRET, Dataset()).cleaned(item(SourceImageSequence=Sequence([nested])))
    assert rejected.value.reason is Reason.TOO_DEEP
