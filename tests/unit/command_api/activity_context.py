"""The context of activities, in memory: states by their streams, and keys that encrypt by a prefix."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from aggregates.scenario import FIRST_ID, MIDNIGHT
from aggregates.state import State
from aggregates.stream import Stream
from command_api.handling.activities import ActivityContext
from schemas.envelope import CommandEnvelope
from streams.bounded_processes import BoundedProcesses
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings


class Keys:
    """Keys that decrypt what begins with ``secret:`` and files of subjects that are not erased, and remember the subjects."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)
        self.erased: list[str] = []

    async def knows(self, subject: str) -> bool:
        return subject in self.known

    async def erase(self, subject: str) -> None:
        self.erased.append(subject)

    async def encrypt_file(self, subject: str, content: bytes) -> bytes:
        return b"encrypted for " + subject.encode() + content[::-1]

    async def decrypt_file(self, subject: str, encrypted: bytes) -> bytes | None:
        mark = b"encrypted for " + subject.encode()
        return encrypted.removeprefix(mark)[::-1] if encrypted.startswith(mark) and subject not in self.erased else None

    async def secret(self, subject: str, purpose: str) -> bytes:
        return f"{subject}/{purpose}".encode()

    async def decrypted(self, encrypted: Iterable[str]) -> Mapping[str, str]:
        return {text: text.removeprefix("secret:") for text in encrypted if text.startswith("secret:")}


def context_of(keys: Keys | None = None, **states: State) -> ActivityContext:
    """Returns a context whose streams of these categories have these states; others have their initial states."""

    async def load(stream: Stream[Any], key: str) -> Any:
        return states.get(stream.category, stream.initial)

    return ActivityContext(Settings(), cast(SubjectKeys, keys or Keys()), load, BoundedProcesses())


def sent(data: Any) -> CommandEnvelope[Any]:
    """Returns a command as it was sent."""
    return CommandEnvelope(data=data, id=FIRST_ID, at=MIDNIGHT, correlation_id="c")
