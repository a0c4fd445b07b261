"""The value that travels through the stages of handling: one command, and what its sender expects."""

from dataclasses import dataclass, replace

from schemas.envelope import CommandEnvelope
from schemas.expected_version import ExpectedVersion
from schemas.message import Command
from schemas.system import ContextName

NO_FINGERPRINT = b""
"""The fingerprint of a command that cannot be encrypted or compared: its repeat is recognised only by its id."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """One command on its way through the stages."""

    context: ContextName
    command: CommandEnvelope[Command]
    expected: ExpectedVersion
    """The version of the command's stream that the sender expects."""
    is_known: bool = False
    """Whether a command with this id has a receipt: it is looked up before anything is decided."""
    fingerprint: bytes = NO_FINGERPRINT

    def decided_as(self, data: Command) -> "CommandRequest":
        """Returns the request with other data, under the same id."""
        return replace(self, command=replace(self.command, data=data))


@dataclass(frozen=True, slots=True)
class PreparedCommand:
    """A command in the form in which it is sent to its topic."""

    context: ContextName
    command: CommandEnvelope[Command]
    """With its passwords hashed and its sensitive fields encrypted."""
    stream: str
    """The name of the stream that it is about: commands about one stream are handled in order."""
    key: str
    """The key of that stream."""
    is_repeat: bool
    """Whether an equal command with this id was handled already."""
