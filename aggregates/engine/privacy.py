"""Data subjects: whether they were erased."""

from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.engine.privacy import RecordErasure, SubjectErased
from schemas.envelope import CommandEnvelope


class Subject(State):
    """A data subject."""

    erased: bool = False


def evolve(subject: Subject, event: SubjectErased) -> Subject:
    return subject.replace(erased=True)


SUBJECT = Stream("subject", Subject, evolve)


def record_erasure(command: CommandEnvelope[RecordErasure], subject: Subject) -> Events:
    """Records the erasure, once."""
    if not subject.erased:
        yield SubjectErased(subject=command.data.subject)


DECISIONS = (Decision(RecordErasure, SUBJECT.create_or_change("subject"), record_erasure),)
