"""The profile: elements of the standard's table have its action, and no element of free text is kept."""

import pytest
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from command_api.dicom.profile import BULK, TERMS, Action, action_for

KEEPS_NOTHING = {Action.REMOVE, Action.EMPTY, Action.REPLACE}
FREE_TEXT = {"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientName", Action.EMPTY),
        ("PatientID", Action.EMPTY),
        ("ContentDate", Action.EMPTY),
        ("SeriesDate", Action.REMOVE),
        ("PatientAge", Action.REMOVE),
        ("FrameReferenceDateTime", Action.REPLACE),
        ("StudyInstanceUID", Action.REPLACE_UID),
        ("SourceImageSequence", Action.CLEAN),
        ("SharedFunctionalGroupsSequence", Action.CLEAN),
        ("Rows", Action.KEEP),
        ("Modality", Action.KEEP),
        ("PixelData", Action.KEEP),
        ("RescaleType", Action.KEEP),
        ("IconImageSequence", Action.REMOVE),
        ("ICCProfile", Action.REMOVE),
        ("ContentSequence", Action.REMOVE),
        ("EncapsulatedDocument", Action.REMOVE),
        ("WaveformSequence", Action.REMOVE),
        ("OriginalAttributesSequence", Action.REMOVE),
        ("EncryptedAttributesSequence", Action.REMOVE),
        ("DigitalSignaturesSequence", Action.REMOVE),
        ("DataSetTrailingPadding", Action.REMOVE),
        ("MediaStorageSOPInstanceUID", Action.REPLACE_UID),
    ],
)
def test_elements_have_the_action_of_the_table_or_of_their_kind(keyword: str, action: Action) -> None:
    tag = tag_for_keyword(keyword)

    assert tag is not None
    assert action_for(tag) is action


@pytest.mark.parametrize(
    "tag", [0x00091001, 0x7FE10010, 0x60003000, 0x60020010, 0x50003000, 0x00080000, 0x0008FFFE, 0x40100001]
)
def test_private_overlay_curve_and_unknown_elements_are_removed(tag: int) -> None:
    assert action_for(tag) is Action.REMOVE


def test_every_element_that_the_standard_removes_is_removed() -> None:
    kept = [tag for tag in table.X_TAGS if action_for(tag[0] << 16 | tag[1]) is not Action.REMOVE]

    assert len(table.X_TAGS) > 400
    assert kept == []


def test_every_other_element_of_the_table_loses_its_value() -> None:
    changed = {*KEEPS_NOTHING, Action.REPLACE_UID, Action.CLEAN}

    assert {action_for(tag[0] << 16 | tag[1]) for tag in table.ALL_TAGS} <= changed


def test_no_element_of_free_text_and_no_date_is_kept() -> None:
    kept = [
        tag
        for tag, entry in DicomDictionary.items()
        if FREE_TEXT & set(entry[0].split(" or ")) and action_for(tag) not in KEEPS_NOTHING
    ]

    assert sorted(kept) == sorted(TERMS)


def test_bytes_are_kept_if_they_are_pixels_alone() -> None:
    kept = {
        tag
        for tag, entry in DicomDictionary.items()
        if {"OB", "OW", "OF", "OD", "OL", "OV", "UN"} & set(entry[0].split(" or ")) and action_for(tag) not in KEEPS_NOTHING
    }

    assert kept == BULK
