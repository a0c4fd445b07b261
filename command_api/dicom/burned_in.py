"""Text that may be burned into the pixels of an image, which the profile of elements does not reach.

Nothing here looks at pixels. A file whose kind often has text in them is accepted if it says ``NO`` in (0028,0301).
"""

from pydicom import Dataset
from pydicom.uid import (
    UID,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from command_api.dicom.rejections import NotDeidentifiable, Reason

_WITHOUT_TEXT = frozenset({"CR", "CT", "DX", "IO", "MG", "MR", "NM", "PT", "PX", "RTDOSE", "RTIMAGE", "SEG"})
"""Modalities whose devices write no text into the pixels; US, SC, ES, XC, OT and all others do, or may."""
_CAPTURES: frozenset[UID] = frozenset(
    {
        SecondaryCaptureImageStorage,
        MultiFrameSingleBitSecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
    }
)
_WORDS_OF_CAPTURES = ("SCREEN", "DOSE", "REPORT", "PROTOCOL", "CAPTURE", "LOCALIZER WITH")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_OVERLAYS = range(0x6000, 0x6100, 2)


def check_unused_bits(dataset: Dataset) -> None:
    """Raises `NotDeidentifiable` if the unused bits of the pixels hold an overlay, which viewers may not show."""
    if _has_overlay_in_pixels(dataset):
        raise NotDeidentifiable(Reason.HIDDEN_TEXT)


def check_text_in_pixels(dataset: Dataset) -> None:
    """Raises `NotDeidentifiable` if text may be burned into the pixels, or if the file says that a face may be recognised."""
    if _text(dataset, "RecognizableVisualFeatures") not in ("", "NO"):
        raise NotDeidentifiable(Reason.RECOGNIZABLE)
    annotation = _text(dataset, "BurnedInAnnotation")
    if annotation not in ("", "NO"):
        raise NotDeidentifiable(Reason.TEXT_IN_PIXELS)
    if annotation == "" and _often_has_text(dataset):
        raise NotDeidentifiable(Reason.TEXT_IN_PIXELS)


def _often_has_text(dataset: Dataset) -> bool:
    image_type = _text(dataset, "ImageType")
    return (
        _text(dataset, "Modality") not in _WITHOUT_TEXT
        or dataset.get("SOPClassUID") in _CAPTURES
        or _text(dataset, "ConversionType") != ""
        # A colour image of a modality that measures grey values is a screenshot, or has been coloured by a program.
        or _text(dataset, "PhotometricInterpretation") not in ("", *_GREY)
        or any(word in image_type for word in _WORDS_OF_CAPTURES)
    )


def _has_overlay_in_pixels(dataset: Dataset) -> bool:
    """Returns whether an overlay without data of its own is in the unused bits of the pixels, as old devices write it."""
    return any((group, 0x0010) in dataset and (group, 0x3000) not in dataset for group in _OVERLAYS)


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip("\0 ").upper()
