"""Text that every store can hold: PostgreSQL has no NUL, UTF-8 has no lone surrogates."""

import re
from email.headerregistry import Address
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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


Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strict=True), AfterValidator(without_control_characters)
]
"""1 to 200 characters without control characters or lone surrogates: an identifier that a client gives."""
