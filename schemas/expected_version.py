"""Expected versions: a writer's expectation of a stream, which the log checks when it appends."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpectedVersion:
    """An exact version, or one of `NO_STREAM`, `STREAM_EXISTS` and `ANY_VERSION`."""

    code: int
    """A version, or a negative number for a named expectation; the log's functions take this form."""

    @classmethod
    def exact(cls, version: int) -> "ExpectedVersion":
        """Returns the expectation that a stream is at this version; 0 means that it does not exist."""
        if version < 0:
            raise ValueError(f"{version} is no stream's version")
        return cls(version)

    def allows(self, version: int) -> bool:
        """Returns whether a stream at this version is as expected."""
        if self == STREAM_EXISTS:
            return version > 0
        return self == ANY_VERSION or version == self.code

    def __str__(self) -> str:
        return _NAMES.get(self.code, f"version {self.code}")


NO_STREAM = ExpectedVersion(0)
"""The stream must not exist."""
STREAM_EXISTS = ExpectedVersion(-1)
"""The stream must exist, at any version."""
ANY_VERSION = ExpectedVersion(-2)
"""Nothing is expected."""

_NAMES = {0: "no stream", -1: "an existing stream", -2: "any version"}
