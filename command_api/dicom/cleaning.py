"""Cleaning of DICOM elements at every depth: a new data set holds what the profile keeps, and nothing else.

Elements are copied one by one into a new data set instead of being removed from the old one, so that nothing stays that the
profile does not name.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from uuid import UUID

from pydicom import DataElement, Dataset, Sequence
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.multival import MultiValue
from pydicom.sr.codedict import Collection, codes
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import VR

from command_api.dicom.profile import BULK, DUMMIES, PIXELS, TERMS, Action, action_for
from command_api.dicom.rejections import NotDeidentifiable, Reason

MAX_DEPTH = 16
"""Levels of sequences in an image; the deepest of the standard has fewer than ten."""
_UNDEFINED = 0xFFFFFFFF
_SHORT_NAME = 3
"""A word of so many characters or fewer is no name that a code could be mistaken for: MR, CT."""
_VRS = frozenset(vr.value for vr in VR)
_FORMATS: Mapping[str, re.Pattern[str]] = {
    VR.CS: re.compile(r"[A-Z0-9 _]{0,16}"),
    VR.DS: re.compile(r" *(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)? *"),
    VR.IS: re.compile(r" *(?:[+-]?\d+)? *"),
}
"""Whole texts of the VRs that hold numbers or codes as text."""
_OLD_SNOMED = re.compile(r"[A-Z][0-9A-Z]?-[0-9A-F]{4,5}")


def pseudonymous_uid(secret: bytes, uid: str) -> str:
    """Returns the UID that replaces a UID of a file: the same for the same secret, and not to be computed without it.

    UIDs of the standard, such as those of classes and of well-known frames of reference, and empty ones stay as they are.
    """
    plain = uid.strip("\0 ")
    if not plain or UID(plain).name != plain:
        return plain
    digest = hmac.digest(secret, plain.encode(), hashlib.sha256)
    return f"2.25.{UUID(bytes=digest[:16], version=5).int}"


class Cleaner:
    """The rules of the profile, for one file."""

    def __init__(self, secret: bytes, file: Dataset) -> None:
        self._secret = secret
        self._names = frozenset(_names(file))

    def cleaned(self, dataset: Dataset, depth: int = 0) -> Dataset:
        """Returns what the profile leaves of a data set; raises `NotDeidentifiable`, or any error of pydicom's."""
        if depth > MAX_DEPTH:
            raise NotDeidentifiable(Reason.TOO_DEEP)
        result = Dataset()
        for found in dataset.elements():
            _check(found)
            action = action_for(found.tag)
            if action is Action.REMOVE or (depth and found.tag in PIXELS):
                continue
            element = self._treated(action, found.tag, dataset, depth)
            if element is not None:
                result.add(element)
        for element in _code(dataset):
            result.add(element)
        return result

    def _treated(self, action: Action, tag: BaseTag, dataset: Dataset, depth: int) -> DataElement | None:
        vr = dictionary_VR(tag)
        if action is Action.EMPTY:
            return DataElement(tag, vr, Sequence() if vr == VR.SQ else None)
        if action is Action.REPLACE:
            return DataElement(tag, vr, DUMMIES[vr])
        element = _converted(dataset, tag, vr)
        if element is None:
            return None
        if action is Action.CLEAN:
            items = [self.cleaned(item, depth + 1) for item in element.value]
            return DataElement(tag, VR.SQ, Sequence(items)) if any(items) or not items else None
        if action is Action.REPLACE_UID:
            return DataElement(tag, VR.UI, [pseudonymous_uid(self._secret, uid) for uid in _texts(element)])
        return element if self._is_clean(element) else None

    def _is_clean(self, element: DataElement) -> bool:
        if element.tag in BULK:
            return True
        if element.tag in TERMS:
            return TERMS[element.tag].issuperset(_texts(element))
        if _count(element) > _most(dictionary_VM(element.tag)):
            return False  # text that is read as numbers
        form = _FORMATS.get(element.VR)
        return form is None or all(
            form.fullmatch(text) and (element.VR != VR.CS or self._names.isdisjoint(_words(text))) for text in _texts(element)
        )


def _check(found: RawDataElement | DataElement) -> None:
    if not isinstance(found, RawDataElement):
        return
    if found.VR is not None and found.VR not in _VRS:
        raise NotDeidentifiable(Reason.UNKNOWN_VR)
    if found.length not in (_UNDEFINED, len(found.value or b"")):
        raise NotDeidentifiable(Reason.DAMAGED)


def _converted(dataset: Dataset, tag: BaseTag, vr: str) -> DataElement | None:
    """Returns an element that has a VR of its dictionary entry, and a value of this VR; else ``None``."""
    try:
        element = dataset[tag]
    except (ValueError, TypeError, ArithmeticError):
        return None
    return element if vr == element.VR or element.VR in vr.split(" or ") else None


def _texts(element: DataElement) -> list[str]:
    value = element.value
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, MultiValue | list) else [str(value)]


def _count(element: DataElement) -> int:
    # In an implicit transfer syntax, bytes whose VR is signed or unsigned stay bytes until they are written.
    return len(element.value) // 2 if isinstance(element.value, bytes) else element.VM


@cache
def _most(multiplicity: str) -> float:
    last = multiplicity.rpartition("-")[2]
    return float(last) if last.isdecimal() else float("inf")


def _names(file: Dataset) -> Iterator[str]:
    """Yields the words of a file's persons and of its patient's numbers, in capitals."""
    for found in file.elements():
        _check(found)
        try:
            is_name = dictionary_VR(found.tag) == VR.PN or found.tag in _PATIENT_IDS
        except KeyError:
            continue
        if is_name and (element := _converted(file, found.tag, dictionary_VR(found.tag))) is not None:
            for text in _texts(element):
                yield from _words(text)


_PATIENT_IDS = (0x00100020, 0x00101000)


def _words(text: str) -> Iterable[str]:
    return (word.upper() for word in re.split(r"[\s^=,._-]+", text) if len(word) > _SHORT_NAME)


def _code(item: Dataset) -> Iterator[DataElement]:
    """Yields the code of an item if the standard knows it, with the standard's meaning instead of the file's text."""
    if "CodeValue" not in item or "CodingSchemeDesignator" not in item:
        return
    scheme, value = str(item.CodingSchemeDesignator).strip(), str(item.CodeValue).strip()
    meaning = _meanings().get((scheme, value))
    if meaning is None and scheme == "SRT" and _OLD_SNOMED.fullmatch(value):
        meaning = value
    if meaning is not None:
        yield DataElement("CodeValue", VR.SH, value)
        yield DataElement("CodingSchemeDesignator", VR.SH, scheme)
        yield DataElement("CodeMeaning", VR.LO, meaning)


@cache
def _meanings() -> Mapping[tuple[str, str], str]:
    return {
        (code.scheme_designator, code.value): code.meaning.encode("ascii", "replace").decode()[:64]
        for scheme in codes.schemes()
        for code in Collection(scheme).concepts.values()
    }
