"""Stage 1, idempotency: each command id is handled once, and a repeat gets the first answer."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid5

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from uuid_utils.compat import uuid7

from command_api.handling.request import NO_FINGERPRINT, CommandRequest
from schemas.envelope import Receipt
from schemas.errors import InProgress, Malformed
from schemas.message import Command
from schemas.system import ContextName
from schemas.values.literals import read_uuid
from streams.log.reading import AppendableLog

KEY = re.compile(r"^[\x21-\x7e]{1,200}$")
BOTH_IDS = "send either an Idempotency-Key or a command id, not both"
_KEYED_COMMANDS = UUID("0d4bd3a8-5a3b-5d0f-8e43-5f2f4a1b9c77")


class Idempotency:
    """Keeps the commands in progress in this process, and looks up the receipts of earlier ones.

    The append detects a repeat as well; the look-up is for stages that must not run twice.
    """

    def __init__(self, logs: Mapping[ContextName, AppendableLog]) -> None:
        self._logs = logs
        self._in_progress: set[tuple[ContextName, UUID]] = set()

    @contextmanager
    def claimed(self, request: CommandRequest) -> Iterator[None]:
        """Claims a command's id for a block; raises `InProgress` if it is claimed."""
        claim = (request.context, request.command.id)
        if claim in self._in_progress:
            raise InProgress("a command with this id is being handled right now")
        self._in_progress.add(claim)
        try:
            yield
        finally:
            self._in_progress.discard(claim)

    async def first_answer(self, request: CommandRequest) -> Receipt | None:
        """Returns the receipt of an earlier equal command; raises `IdempotencyKeyReused` if it was another one."""
        fingerprint = None if request.fingerprint == NO_FINGERPRINT else request.fingerprint
        return await self._logs[request.context].receipt(request.command.id, fingerprint)


def command_id(context: ContextName, key: str | None, given: str | None = None) -> UUID:
    """Returns the id that is given, the one of an idempotency key (the same for a key in a context), or a new one.

    HTTP and topics use the same ids, so that a repeat is recognised on both. Raises `Malformed`.
    """
    if key is None:
        return uuid7() if given is None else _parsed(given)
    if given is not None:
        raise Malformed(BOTH_IDS)
    if not KEY.fullmatch(key):
        raise Malformed("Idempotency-Key must be 1 to 200 visible ASCII characters")
    return uuid5(_KEYED_COMMANDS, f"{context}/{key}")


def _parsed(text: str) -> UUID:
    try:
        return read_uuid(text)
    except ValueError:
        raise Malformed("the command's id must be a UUID") from None


def fingerprint(command: Command) -> bytes:
    """Returns the fingerprint of a command: SHA-256 of its name and its JSON, in any order of members."""
    body = orjson.dumps(command.__dict__, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(command.message_name.encode() + b"\n" + body).digest()


def _plain(value: Any) -> Any:
    # Each field is dumped by itself: the model's own dump would take most of the fingerprint's time.
    if isinstance(value, BaseModel):
        return value.__dict__
    return to_jsonable_python(sorted(value, key=repr) if isinstance(value, set | frozenset) else value)
