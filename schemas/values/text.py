"""Text that every store can hold: PostgreSQL has no NUL, UTF-8 has no lone surrogates."""

import re
from email.headerregistry import Address
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from schemas.values.stated import Stated

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"  # JSON Schema has no surrogates: its texts are sequences of characters
_BLANKS = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""The characters that pydantic strips: Unicode's White_Space."""


def without_control_characters(text: str) -> str:
    """Returns the text itself; raises ``ValueError`` if a store cannot hold one of its characters."""
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters or lone surrogates")
    return text


def mailbox(text: str) -> str:
    """Returns the text itself; raises ``ValueError`` if it is not the address of one mailbox (RFC 5322 addr-spec)."""
    try:
        address = Address(addr_spec=text)
    except Exception as error:  # the parser may raise anything, such as IndexError
        raise ValueError("is not the address of one mailbox") from error
    if not (address.username and address.domain) or address.addr_spec != text or _CONTROL.search(text):
        raise ValueError("is not the address of one mailbox")
    return text


PLAIN = Stated({"pattern": f"^[^{_CONTROLS}]*$"})
"""States that a text has no control characters."""
PLAIN_INSIDE = Stated(
    {"pattern": f"^[{_BLANKS}]*[^{_CONTROLS}{_BLANKS}]([^{_CONTROLS}]*[^{_CONTROLS}{_BLANKS}])?[{_BLANKS}]*$"}
)
"""States the same of a text that is stripped of outer blanks, and that it is not blank."""
NOT_BLANK = Stated({"pattern": f"[^{_BLANKS}]"})
"""States that a text is not blank."""
MAILBOX = Stated({"format": "email"}, ("is not the address of one mailbox",))
"""States that a text is the address of one mailbox."""

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strict=True), AfterValidator(without_control_characters), PLAIN
]
"""1 to 200 characters without control characters or lone surrogates: an identifier that a client gives."""
