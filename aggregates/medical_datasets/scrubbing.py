"""Scrubbing: a person's name, address, phone and record are taken out of free texts, however they are written there."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas.medical_datasets.parts import REMOVED, Packet

_SHORTEST_PART = 4
"""Characters of the shortest part of a name that is removed by itself; shorter ones are words of the language too often."""
_BETWEEN_DIGITS = r"[\s().+/-]*"


class Scrubber:
    """Takes the words that name one person out of texts: in any case, with or without accents, and with other blanks."""

    def __init__(self, name: str | None, others: Iterable[str | None]) -> None:
        """``others`` are further texts that name the person: an address, a phone number, the id of a record."""
        patterns = [_pattern(text) for text in (name, *others) if text and text.strip()]
        patterns += [rf"(?<!\w){re.escape(part)}(?!\w)" for part in _parts(name or "")]
        self._pattern = re.compile("|".join(sorted(patterns, key=len, reverse=True))) if patterns else None

    def text(self, text: str) -> str:
        """Returns a text without the person."""
        if self._pattern is None:
            return text
        folded, places = _folded(text)
        out, end = [], 0
        for match in self._pattern.finditer(folded):
            first, last = places[match.start()], places[match.end() - 1] + 1
            while last < len(text) and unicodedata.combining(text[last]):  # an accent of its own belongs to its letter
                last += 1
            if first < end:
                continue
            out += [text[end:first], REMOVED]
            end = last
        return "".join((*out, text[end:]))

    def value(self, value: Any) -> Any:
        """Returns a JSON value without the person, in its keys as well; a number that is the person's becomes a text."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self.value(member) for key, member in value.items()}
            case list() | tuple():
                return [self.value(member) for member in value]
            case bool() | None:
                return value
            case int() | float():
                return value if (scrubbed := self.text(str(value))) == str(value) else scrubbed
        return value

    def packet(self, packet: Packet) -> Packet:
        """Returns a packet without the person in any of its texts; raises ``ValidationError`` if one is too long after that."""
        given = packet.model_dump(exclude={"created_at", "updated_at"})
        return Packet(created_at=packet.created_at, updated_at=packet.updated_at, **self.value(given))


def _pattern(text: str) -> str:
    """Returns a pattern of a text that names a person: numbers with anything between their digits, words with any blanks."""
    folded, _ = _folded(text.strip())
    digits = [one for one in folded if one.isdigit()]
    if len(digits) >= _SHORTEST_PART and not any(one.isalpha() for one in folded):
        return r"(?<!\d)" + _BETWEEN_DIGITS.join(map(re.escape, digits)) + r"(?!\d)"
    words = r"\s+".join(map(re.escape, folded.split()))
    before, after = (r"(?<!\w)" if words[:1].isalnum() else ""), (r"(?!\w)" if folded[-1:].isalnum() else "")
    return f"{before}{words}{after}"


def _parts(name: str) -> Sequence[str]:
    folded, _ = _folded(name)
    return sorted({part for part in re.findall(r"\w+", folded) if len(part) >= _SHORTEST_PART})


def _folded(text: str) -> tuple[str, list[int]]:
    """Returns a text in small letters without accents, and for each of its characters its place in the text as given."""
    folded, places = [], []
    for place, character in enumerate(text):
        for one in _plain(character):
            folded.append(one)
            places.append(place)
    return "".join(folded), places


def _plain(character: str) -> Iterator[str]:
    for one in unicodedata.normalize("NFKD", character).casefold():
        yield from (part for part in unicodedata.normalize("NFKD", one) if not unicodedata.combining(part))
