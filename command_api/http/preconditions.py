"""Preconditions (RFC 9110, RFC 6585): what a sender expects of a command's stream, from headers or a batch's line."""

import re

from schemas.errors import Malformed, PreconditionFailed, PreconditionRequired
from schemas.expected_version import ANY_VERSION, NO_STREAM, STREAM_EXISTS, ExpectedVersion
from schemas.system import Context

IF_MATCH = r'^(\*|(W/)?"[0-9]{1,9}")$'
BOTH_EXPECTATIONS = "If-None-Match comes without If-Match"
_ETAG = re.compile(r'(W/)?"(\d{1,9})"', re.ASCII)


def expectation(if_match: str | None, if_none_match: str | None) -> ExpectedVersion:
    """Returns what ``If-Match`` (a version's entity tag, or ``*`` for any that exists) or ``If-None-Match: *`` says.

    Raises `Malformed` for anything else, and `PreconditionFailed` for a weak entity tag, which never matches.
    """
    if if_match is None and if_none_match is None:
        return ANY_VERSION
    if if_none_match is not None:
        if if_match is not None:
            raise Malformed(f"{BOTH_EXPECTATIONS}: send one of them")
        if if_none_match.strip() != "*":
            raise Malformed("If-None-Match must be *: the stream must not exist")
        return NO_STREAM
    assert if_match is not None, "one of them is given"
    if if_match.strip() == "*":
        return STREAM_EXISTS
    tag = _ETAG.fullmatch(if_match.strip())
    if tag is None:
        raise Malformed('If-Match must be *, or an entity tag that this API gave, such as "3"')
    if tag[1]:
        raise PreconditionFailed("If-Match compares strongly: a weak entity tag never matches")
    return ExpectedVersion.exact(int(tag[2]))


def check_stated(context: Context, expected: ExpectedVersion) -> None:
    """Raises `PreconditionRequired` if a context needs an expectation and there is none."""
    if context.requires_expected_version and expected == ANY_VERSION:
        raise PreconditionRequired("this command needs If-Match with the stream's version, or If-None-Match: *")
