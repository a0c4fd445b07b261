"""DICOM images for tests: one that is made here, and those that pydicom ships."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import DataElement, Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.multival import MultiValue
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

SECRET = b"secret of the tests"
FOLDER = Path(pydicom.__file__).parent / "data"
PIXELS = bytes(range(32))
NAME = "Quijano^Alonso"


def shipped() -> list[Path]:
    """Returns the DICOM files in pydicom's wheel; others, which it downloads, are not used."""
    return sorted(
        path
        for path in FOLDER.rglob("*")
        if path.is_file() and (path.suffix == ".dcm" or path.read_bytes()[128:132] == b"DICM")
    )


def image(**values: object) -> Dataset:
    """Returns a CT image of 4 x 4 pixels with a person in it, and with these values of elements by their keywords."""
    dataset = Dataset()
    given = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": "1.2.3.4.5",
        "StudyInstanceUID": "1.2.3.4",
        "SeriesInstanceUID": "1.2.3.4.1",
        "StudyDate": "20240229",
        "Modality": "CT",
        "PatientName": NAME,
        "PatientID": "79123456",
        "PatientBirthDate": "15470929",
        "Rows": 4,
        "Columns": 4,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": PIXELS,
    }
    for keyword, value in (given | values).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Returns a data set as a DICOM file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax.is_encapsulated:
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def opened(dicom: bytes) -> Dataset:
    """Returns the data set of a file, with its file meta information."""
    return dcmread(BytesIO(dicom))


def elements(dataset: Dataset) -> Iterator[DataElement]:
    """Yields the elements of a data set at every depth."""
    for element in dataset:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item)


def texts(element: DataElement) -> list[str]:
    """Returns an element's values as texts."""
    values = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    return [str(value).strip("\0 ") for value in values if value is not None]


def fragments(*frames: bytes) -> bytes:
    """Returns encapsulated pixels: an empty table of offsets, and a fragment for each frame."""
    padded: Sequence[bytes] = [b"", *(frame + b"\0" * (len(frame) % 2) for frame in frames)]
    return b"".join(b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one for one in padded)
