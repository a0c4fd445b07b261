"""The consistency token: names a write. A read with the token waits until its view has applied that write."""

import re
from dataclasses import dataclass

from schemas.errors import Malformed
from schemas.system import ContextName

_FORM = re.compile(r"(\w+)\.(\w+)/(\d{1,5})@(\d{1,18})", re.ASCII)

MAX_TOKENS = 32
"""So many tokens a read may wait for."""


@dataclass(frozen=True, slots=True)
class ConsistencyToken:
    """A position in one partition of one context: a read waits for that partition's checkpoint and no other."""

    context: ContextName
    partition: int
    position: int

    @classmethod
    def parse(cls, text: str) -> "ConsistencyToken":
        """Reads ``system.context/partition@position``; raises `Malformed`."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise Malformed("Consistency-Token must be a token that the command API returned")
        return cls(ContextName(found[1], found[2]), int(found[3]), int(found[4]))

    @classmethod
    def parse_all(cls, text: str) -> "tuple[ConsistencyToken, ...]":
        """Reads tokens that are separated by commas; raises `Malformed`."""
        if text.count(",") >= MAX_TOKENS:
            raise Malformed(f"Consistency-Token has at most {MAX_TOKENS} tokens")
        return tuple(cls.parse(one.strip()) for one in text.split(","))

    def __str__(self) -> str:
        return f"{self.context}/{self.partition}@{self.position}"
