"""Fingerprints: by them a repeated command is told from another one under the same id."""

import hashlib
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from schemas.message import Command


def fingerprint(command: Command) -> bytes:
    """Tells commands apart: SHA-256 of the name and the canonical JSON; the order of members makes no difference."""
    body = orjson.dumps(command.__dict__, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(command.message_name.encode() + b"\n" + body).digest()


def _plain(value: Any) -> Any:
    # Fields by themselves, not the model's own dump: that would take most of the time that a fingerprint takes.
    if isinstance(value, BaseModel):
        return value.__dict__
    return to_jsonable_python(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)
