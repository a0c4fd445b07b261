"""Names and passwords in the forms in which they are compared: equal for two spellings of one name."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Annotated

from precis_i18n import get_profile
from pydantic import AfterValidator

from schemas.values.stated import Stated
from schemas.values.text import Identifier

_MAX_LENGTH = 200
_FIRST_MARK, _AFTER_MARKS = 0x300, 0x20000
"""Unicode has no combining marks before the first of these code points, and none from the second one on."""
_MAX_ENFORCED = 1000
"""Characters of a name or password that are looked at: the check of a longer text takes noticeable time."""

NO_PASSWORD = "is not a password"
"""The beginning of what is said about a password that RFC 8265 does not allow."""
USERNAME = Stated(rules=("is not a user name",))
"""States that RFC 8265 allows a user name."""


def enforced_username(text: str) -> str:
    """Returns a user name in the form in which it is compared: PRECIS, UsernameCaseMapped (RFC 8265, section 3.3).

    It may have several parts with blanks between them (RFC 8265, section 3.1). Raises ``ValueError`` if the profile does not
    allow the name, for example because it has an invisible character.
    """
    _check_length(text, "user name")
    parts = [part for part in text.split(" ") if part]
    if not parts:
        raise ValueError("is not a user name that RFC 8265 allows: empty")
    return " ".join(_enforced("UsernameCaseMapped", part, "user name") for part in parts)


def enforced_password(text: str) -> str:
    """Returns a password in the form in which it is hashed: PRECIS, OpaqueString (RFC 8265, section 4.2).

    Raises ``ValueError`` if the profile does not allow the password: it is empty, or has an invisible or a control character.
    """
    _check_length(text, "password")
    return _enforced("OpaqueString", text, "password")


def caseless(text: str) -> str:
    """Returns a name without outer blanks in the form in which names are compared if case does not count: folded, in NFC."""
    folded = unicodedata.normalize("NFD", text.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def nfc(text: str) -> str:
    """Returns a text in Unicode's composed form, in a time that is linear in its length.

    The library's sort of combining marks takes quadratic time: minutes for 256 kB of them behind one letter. So long runs of
    them are sorted beforehand, which does not change the result (Unicode, D108: the canonical ordering is a stable sort).
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _long_runs_of_marks().sub(_in_canonical_order, text))


@cache
def _long_runs_of_marks() -> re.Pattern[str]:
    """Returns a pattern of more than thirty characters whose decompositions are combining marks."""
    marks = (chr(code) for code in range(_FIRST_MARK, _AFTER_MARKS) if _is_mark(chr(code)))
    return re.compile(f"[{''.join(map(re.escape, marks))}]{{31,}}")


def _is_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0


def _in_canonical_order(run: re.Match[str]) -> str:
    decomposed = (mark for character in run[0] for mark in unicodedata.normalize("NFD", character))
    return "".join(sorted(decomposed, key=unicodedata.combining))


def _key(text: str) -> str:
    key = nfc(text)
    if len(key) > _MAX_LENGTH:
        raise ValueError(f"should have at most {_MAX_LENGTH} characters in NFC")
    return key


NaturalKey = Annotated[Identifier, AfterValidator(_key)]
"""An identifier that people write, such as a partner's name for itself: in NFC, so that two spellings of it are one key."""


def _check_length(text: str, what: str) -> None:
    if len(text) > _MAX_ENFORCED:
        raise ValueError(f"is not a {what}: it has more than {_MAX_ENFORCED} characters")


def _enforced(profile: str, text: str, what: str) -> str:
    try:
        return _enforce(profile)(text)
    except UnicodeEncodeError as error:
        reason = error.reason.removeprefix("DISALLOWED/").replace("_", " ")
        raise ValueError(f"is not a {what} that RFC 8265 allows: {reason}") from None


@cache
def _enforce(profile: str) -> Callable[[str], str]:
    enforce: Callable[[str], str] = get_profile(profile).enforce
    return enforce
