"""Scrubbing: a person's name, address, phone and record are taken out of free texts, however they are written there."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from schemas.medical_datasets.parts import REMOVED, Packet

_SHORTEST_PART = 4
"""Characters of the shortest part of a name that is removed by itself; shorter ones are words of the language too often."""
_LONG_NUMBER, _NATIONAL_NUMBER, _LONGEST_NUMBER = 7, 10, 30
"""Digits of numbers that are found inside longer ones too, of phone numbers without their country, and of any number."""
_BETWEEN = r"[\W_]{0,5}"
_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"
"""A word begins or ends; an underscore is no part of a word."""


class Scrubber:
    """Takes the words that name one person out of texts: in any case, with or without accents, however they are joined."""

    def __init__(self, name: str | None, others: Iterable[str | None]) -> None:
        """``others`` are further texts that name the person: an address, a phone number, the id of a record."""
        patterns = [_pattern(text) for text in (name, *others) if text and text.strip()]
        patterns += [f"{_BEGIN}{re.escape(part)}{_END}" for part in _parts(name or "")]
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
                members: dict[str, Any] = {}
                for key, member in value.items():
                    members[_unused(self.text(key), members)] = self.value(member)
                return members
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
    """Returns a pattern of a text that names a person, with anything that is no letter or digit between its parts."""
    folded, _ = _folded(text)
    digits = "".join(one for one in folded if one.isdigit())
    is_number = _SHORTEST_PART <= len(digits) <= _LONGEST_NUMBER and not any(one.isalpha() for one in folded)
    if is_number and len(digits) >= _LONG_NUMBER:
        forms = (digits, digits[-_NATIONAL_NUMBER:]) if len(digits) > _NATIONAL_NUMBER else (digits,)
        return "|".join(_BETWEEN.join(form) for form in forms)
    words = list(digits) if is_number else re.findall(r"[^\W_]+", folded)
    return f"{_BEGIN}{_BETWEEN.join(map(re.escape, words))}{_END}" if words else re.escape(folded.strip())


def _parts(name: str) -> Sequence[str]:
    folded, _ = _folded(name)
    return sorted({part for part in re.findall(r"[^\W_]+", folded) if len(part) >= _SHORTEST_PART})


def _unused(key: str, members: Mapping[str, Any]) -> str:
    """Returns a key of an object that no member of it has, so that no member is lost."""
    return next(one for one in (key, *(f"{key} {n}" for n in range(2, len(members) + 3))) if one not in members)


def _folded(text: str) -> tuple[str, list[int]]:
    """Returns a text in small letters without accents, and for each of its characters its place in the text as given."""
    folded, places = [], []
    for place, character in enumerate(text):
        for one in _plain(character):
            folded.append(one)
            places.append(place)
    return "".join(folded), places


def _plain(character: str) -> Iterator[str]:
    if unicodedata.category(character) == "Cf":
        return  # it is not seen: a soft hyphen, a joiner
    for one in unicodedata.normalize("NFKD", character).casefold():
        yield from (part for part in unicodedata.normalize("NFKD", one) if not unicodedata.combining(part))
