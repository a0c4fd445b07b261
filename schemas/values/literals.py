"""Literals: numbers and UUIDs that foreign text holds, in the grammar of JSON (RFC 8259) and of RFC 9562.

Python's own grammar is wider: it reads `1_0`, digits of other scripts and blanks, so that two texts would name one value.
"""

import math
import re
from uuid import UUID

SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""The integers of 64 bits, which every store can hold."""
_MAX_DIGITS = 20
_INTEGER = re.compile("-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(rf"{_INTEGER.pattern}(\.[0-9]+)?([eE][+-]?[0-9]+)?")
UUID_FORM = re.compile(r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
"""The one writing of a UUID (RFC 9562): Python reads others too, such as ``{…}`` or one without hyphens."""
_SHOWN = 40


def read_integer(text: str, smallest: int = SMALLEST, largest: int = LARGEST) -> int:
    """Returns the integer that a text is; raises ``ValueError`` for other text, and for one beyond the bounds."""
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"{_shortened(text)} is not an integer as JSON writes it")
    if len(text) > _MAX_DIGITS or not smallest <= (number := int(text)) <= largest:
        raise ValueError(f"{_shortened(text)} is out of range: from {smallest} to {largest}")
    return number


def read_number(text: str) -> float:
    """Returns the finite number that a text is; raises ``ValueError`` for other text."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{_shortened(text)} is not a number as JSON writes it")
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{_shortened(text)} is out of range")
    return number


def read_uuid(text: str) -> UUID:
    """Returns the UUID that a text is, in any case; raises ``ValueError`` for other text."""
    if UUID_FORM.fullmatch(text) is None:
        raise ValueError(f"{_shortened(text)} is not a UUID")
    return UUID(text)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
