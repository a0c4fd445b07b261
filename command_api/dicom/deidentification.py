"""De-identification: a DICOM image without the person in it, after PS3.15 Annex E.

A file is read whole, checked for text in its pixels, and written anew from the elements that the profile keeps::

    bytes ─▶ reading ─▶ burned_in ─▶ cleaning (profile) ─▶ pixels ─▶ bytes
                └────────────┴──────────────┴─────────────────┴─▶ NotDeidentifiable(reason)

The same bytes and the same secret give the same bytes, and one study stays one study. Pixels are not changed. The work is done
in memory and may take long for a hostile file: callers run it in `streams.bounded_processes`.
"""

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from pydicom import DataElement, Dataset, Sequence, dcmwrite
from pydicom.config import disable_value_validation, logger
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from command_api.dicom.burned_in import check_text_in_pixels, check_unused_bits
from command_api.dicom.cleaning import Cleaner
from command_api.dicom.pixels import check_pixels
from command_api.dicom.profile import EDITION
from command_api.dicom.reading import parsed
from command_api.dicom.rejections import NotDeidentifiable, Reason
from schemas.errors import Misconfigured

_METHOD = f"PS3.15 {EDITION} Annex E Basic Profile, no dates, no free text"
_IMPLEMENTATION = UID("2.25.108199911129993594295785960175722125534")
_IMPLEMENTATION_NAME = "CAUDAL"


@dataclass(frozen=True, slots=True)
class Deidentified:
    """An image without the person in it, and facts about it that identify nobody."""

    dicom: bytes
    """A DICOM file (PS3.10)."""
    sha256: str
    modality: str | None
    transfer_syntax: str
    sop_class: str
    rows: int
    columns: int
    frames: int


def deidentified(dicom: bytes, secret: bytes, *, was_looked_at: bool = False) -> Deidentified:
    """Returns a DICOM file without the person in it.

    UIDs that identify somebody are replaced by UIDs that depend on the secret. ``was_looked_at`` says that a person has seen
    that the pixels show nobody: then what the file says of text and faces in them does not count.

    Raises `NotDeidentifiable` with a reason for clients if the file is no whole DICOM image, or may show a person, and
    `Misconfigured` if the secret is empty. No error quotes the file.
    """
    if not secret:
        raise Misconfigured("the secret of pseudonyms is empty: anybody could compute the UIDs")
    try:
        with _lenient_and_silent():
            return _deidentified(dicom, secret, was_looked_at=was_looked_at)
    except (NotDeidentifiable, MemoryError):
        raise
    except RecursionError:
        raise NotDeidentifiable(Reason.TOO_DEEP) from None
    except Exception:  # pydicom raises errors of any class on a damaged file, and quotes values of it
        raise NotDeidentifiable(Reason.DAMAGED) from None


def _deidentified(dicom: bytes, secret: bytes, *, was_looked_at: bool) -> Deidentified:
    original, syntax = parsed(dicom)
    image = Cleaner(secret, original).cleaned(original)
    check_pixels(image, syntax, original)
    check_unused_bits(original)
    if not was_looked_at:
        try:
            check_text_in_pixels(original)
        except NotDeidentifiable as error:
            raise NotDeidentifiable(error.reason, image.get("Modality") or None) from None
    if UID(image.SOPClassUID).type != "SOP Class":
        raise NotDeidentifiable(Reason.NOT_AN_IMAGE)
    _declare(image)
    written = _written(image, syntax)
    return Deidentified(
        dicom=written,
        sha256=hashlib.sha256(written).hexdigest(),
        modality=image.get("Modality") or None,
        transfer_syntax=str(syntax),
        sop_class=str(image.SOPClassUID),
        rows=int(image.Rows),
        columns=int(image.Columns),
        frames=int(image.get("NumberOfFrames") or 1),
    )


def _declare(image: Dataset) -> None:
    """Writes into an image that it is de-identified, and how (PS3.15 E.1.1, PS3.16 CID 7050)."""
    code = Dataset()
    code.add(DataElement("CodeValue", "SH", "113100"))
    code.add(DataElement("CodingSchemeDesignator", "SH", "DCM"))
    code.add(DataElement("CodeMeaning", "LO", "Basic Application Confidentiality Profile"))
    image.add(DataElement("PatientIdentityRemoved", "CS", "YES"))
    image.add(DataElement("DeidentificationMethod", "LO", _METHOD))
    image.add(DataElement("DeidentificationMethodCodeSequence", "SQ", Sequence([code])))
    image.add(DataElement("LongitudinalTemporalInformationModified", "CS", "REMOVED"))


def _written(image: Dataset, syntax: UID) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = _IMPLEMENTATION_NAME
    image.file_meta = meta
    file = BytesIO()
    dcmwrite(file, image, enforce_file_format=True)  # adds the class and the UID of the image to the meta information
    return file.getvalue()


@contextmanager
def _lenient_and_silent() -> Iterator[None]:
    """Makes pydicom read values that break the standard, because most are removed, and write nothing of them into a log."""
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was_disabled
