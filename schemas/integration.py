"""Integration topics: what a system publishes for other teams, and takes from them, under names and in forms that they know.

They are apart from the topics of the logs. Those are the system's own; these are a contract with others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.envelope import RecordedEvent
from schemas.message import Command, Event


@dataclass(frozen=True, slots=True)
class Record:
    """A record of Avro. Every field may be null, with null as its default, so that fields can be added later."""

    name: str
    fields: Mapping[str, Any]
    """The type of each field: a primitive of Avro such as ``string`` or ``long``, a `Record`, or a list of one type."""
    namespace: str = ""
    service: str | None = None
    """The service that the envelope names; ``None``: the record is published without an envelope."""

    @property
    def full_name(self) -> str:
        """The name with its namespace."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name


Content = Mapping[str, Any] | str | None
"""The fields of a record, or a JSON document or a text; ``None`` if an event is not published."""


@dataclass(frozen=True, slots=True)
class OutgoingTopic:
    """A topic on which the relay publishes what follows from the events of one class, in order within a stream.

    Each record comes at least once, and a repeat has the same bytes. Without a record of Avro the content is published as a
    JSON document or as a text.
    """

    topic: str
    event: type[Event]
    content: Callable[[RecordedEvent[Any]], Content]
    """A pure function. What it returns is readable to everybody with access to the topic: it leaves out what is encrypted."""
    record: Record | None = None
    type: str | None = None
    """The kind of event that the envelope names, where several events have one record; ``None``: the record's name."""

    @property
    def name(self) -> str:
        """The name of its records: the record's full name, or the event's. Several events may have one record."""
        return self.event.message_name if self.record is None else self.record.full_name

    @property
    def registered_as(self) -> str:
        """The name under which its beginning is registered, once for each event and record on a topic."""
        return self.name if self.name == self.event.message_name else f"{self.name} of {self.event.message_name}"


Given = Mapping[str, Any] | str
"""The fields of a record's data or of a JSON document, or a text."""


@dataclass(frozen=True, slots=True)
class IncomingTopic:
    """A topic on which other teams send commands. A command of theirs is only accepted: its rejection must be an event.

    It may be an outgoing topic too: what this deployment publishes there is not taken for a command.
    With a record the values are Avro, else JSON documents or, for a function of a text, texts. A record's id is the id of its
    envelope if that is a UUID, so that a repeat is handled once.
    """

    topic: str
    command: type[Command]
    make: Callable[[Any], Command]
    """From what came, a `Given`: for an enveloped record its data. What it raises parks the record."""
    record: Record | None = None
    is_text: bool = False
    is_personal: bool = False
    """Whether its records hold personal data that the command leaves out: then a dead letter keeps none of a record."""
