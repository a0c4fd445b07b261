"""The profile: one action for each element of a DICOM file, after PS3.15 Annex E, Basic Application Confidentiality Profile.

The standard's table names the elements that identify somebody, and says nothing of others. Here others are kept only if they
cannot hold free text and belong to groups that describe images::

    private, unknown, other group ─▶ REMOVE
    in the standard's table       ─▶ its action; removed or empty wherever the table leaves a choice
    numbers, codes in capitals    ─▶ KEEP
    UID ─▶ REPLACE_UID    sequence ─▶ CLEAN    pixels, lookup tables ─▶ KEEP    free text, dates, other bytes ─▶ REMOVE
"""

from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache

from dicomanonymizer.simpledicomanonymizer import initialize_actions
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import VR

EDITION = "2026c"
"""The edition of the standard whose table is used."""


class Action(Enum):
    """The treatment of an element."""

    REMOVE = auto()
    EMPTY = auto()
    REPLACE = auto()
    """Its value is a constant afterwards."""
    REPLACE_UID = auto()
    CLEAN = auto()
    """It is a sequence, whose items are treated element by element."""
    KEEP = auto()


_NAMED: Mapping[str, Action] = {
    "delete": Action.REMOVE,
    "delete_or_replace": Action.REMOVE,
    "empty": Action.EMPTY,
    "empty_or_replace": Action.EMPTY,
    "delete_or_empty": Action.EMPTY,
    "delete_or_empty_or_replace": Action.EMPTY,
    "replace": Action.REPLACE,
    "replace_UID": Action.REPLACE_UID,
    "delete_or_empty_or_replace_UID": Action.CLEAN,
}
"""The actions of the library, by their names there."""


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


_LISTED: Mapping[int, Action] = {
    # Those of four numbers are overlays and curves: groups that are removed as a whole.
    **{
        tag[0] << 16 | tag[1]: _NAMED[action.__name__]
        for tag, action in initialize_actions(f"dicomfields_{EDITION}").items()
        if len(tag) == 2
    },
    # All texts that are kept are in ASCII.
    _tag("SpecificCharacterSet"): Action.REMOVE,
    # Free text that an image has to have.
    _tag("Manufacturer"): Action.EMPTY,
    _tag("SegmentLabel"): Action.REPLACE,
}
_IMAGE_GROUPS = frozenset(
    {
        0x0008,
        0x0018,
        0x0020,
        0x0022,
        0x0028,
        0x0040,
        0x0048,
        0x0052,
        0x0054,
        0x0062,
        0x2050,
        0x3002,
        0x3004,
        0x300C,
        0x5200,
        0x7FE0,
    }
)
DUMMIES: Mapping[str, str] = {
    **dict.fromkeys((VR.AE, VR.CS, VR.LO, VR.LT, VR.PN, VR.SH, VR.ST, VR.UC, VR.UT), "ANONYMIZED"),
    VR.AS: "000Y",
    VR.DA: "00010101",
    VR.DT: "00010101000000",
    VR.TM: "000000",
    VR.UR: "http://anonymized.invalid",
}
"""The constants that replace values, by VR; what has another VR is removed instead."""
PIXELS = frozenset(map(_tag, ("PixelData", "FloatPixelData", "DoubleFloatPixelData")))
BULK = PIXELS | set(
    map(
        _tag,
        (
            "ExtendedOffsetTable",
            "ExtendedOffsetTableLengths",
            "RedPaletteColorLookupTableData",
            "GreenPaletteColorLookupTableData",
            "BluePaletteColorLookupTableData",
            "AlphaPaletteColorLookupTableData",
            "SegmentedRedPaletteColorLookupTableData",
            "SegmentedGreenPaletteColorLookupTableData",
            "SegmentedBluePaletteColorLookupTableData",
            "SegmentedAlphaPaletteColorLookupTableData",
            "LUTData",
        ),
    )
)
"""Elements of bytes that are kept: numbers of pixels. A colour profile has texts of its maker, and is removed."""
TERMS: Mapping[int, frozenset[str]] = {
    _tag("RescaleType"): frozenset({"HU", "US", "OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}),
    _tag("ModalityLUTType"): frozenset({"HU", "US", "OD", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}),
}
"""Texts that are kept if they are one of the standard's terms, without which numbers of pixels cannot be read."""
_NO_TEXT = frozenset({VR.AT, VR.CS, VR.DS, VR.FD, VR.FL, VR.IS, VR.SL, VR.SS, VR.SV, VR.UL, VR.US, VR.UV})


@lru_cache(maxsize=10_000)
def action_for(tag: int) -> Action:
    """Returns the action for an element at any depth; `Action.KEEP` holds for a value that fits the element's VR only."""
    try:
        vrs = dictionary_VR(tag).split(" or ")
    except KeyError:
        return Action.REMOVE
    if tag in _LISTED:
        return Action.REMOVE if _LISTED[tag] is Action.REPLACE and vrs[0] not in DUMMIES else _LISTED[tag]
    if tag >> 16 not in _IMAGE_GROUPS:
        return Action.REMOVE
    if tag in BULK or tag in TERMS or _NO_TEXT.issuperset(vrs):
        return Action.KEEP
    return {VR.SQ: Action.CLEAN, VR.UI: Action.REPLACE_UID}.get(VR(vrs[0]), Action.REMOVE)
