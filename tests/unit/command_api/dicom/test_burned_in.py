"""Text in pixels: files that often have some are rejected, unless they say that they have none."""

import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from command_api.dicom.burned_in import check_text_in_pixels, check_unused_bits
from command_api.dicom.rejections import NotDeidentifiable, Reason
from tests.unit.command_api.dicom.images import image

MODALITIES = ("US", "SC", "ES", "XC", "OT", "XA", "FUTURE", "", None)
SUSPECTS: list[dict[str, object]] = [
    *(dict[str, object](Modality=modality) for modality in MODALITIES),
    {"SOPClassUID": SecondaryCaptureImageStorage},
    {"ConversionType": "WSD"},
    {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    {"ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]},
    {"PhotometricInterpretation": "RGB"},
]


def is_rejected(**values: object) -> bool:
    try:
        check_text_in_pixels(image(**values))
    except NotDeidentifiable as error:
        assert error.reason is Reason.TEXT_IN_PIXELS
        return True
    return False


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "CR", "DX", "MG", "NM", "RTDOSE", "SEG"])
def test_images_of_devices_that_write_no_text_are_accepted(modality: str) -> None:
    assert not is_rejected(Modality=modality)


@pytest.mark.parametrize("values", SUSPECTS)
def test_images_that_often_have_text_are_rejected_without_an_explicit_no(values: dict[str, object]) -> None:
    assert is_rejected(**values)
    assert is_rejected(**values, BurnedInAnnotation="")
    assert not is_rejected(**values, BurnedInAnnotation="NO")


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("annotation", ["YES", "yes", "UNKNOWN", ["NO", "YES"]])
def test_an_image_that_says_so_or_is_unclear_is_rejected(annotation: object) -> None:
    assert is_rejected(BurnedInAnnotation=annotation)


def test_an_overlay_in_the_bits_of_the_pixels_is_rejected() -> None:
    dataset = image(BurnedInAnnotation="NO")
    dataset.add_new(0x60000010, "US", 4)

    with pytest.raises(NotDeidentifiable, match="bits no usados"):
        check_unused_bits(dataset)
    dataset.add_new(0x60003000, "OW", bytes(2))
    check_unused_bits(dataset)


def test_a_face_that_may_be_recognised_is_rejected() -> None:
    with pytest.raises(NotDeidentifiable, match="rasgos reconocibles"):
        check_text_in_pixels(image(RecognizableVisualFeatures="YES"))
