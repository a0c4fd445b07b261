"""Data subjects, as far as the engine knows them: whether they were erased."""

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from schemas.engine.privacy import RecordErasure, SubjectErased
from schemas.envelope import CommandEnvelope
from schemas.message import Event


class Subject(Aggregate):
    """A data subject."""

    category = "subject"

    def __init__(self) -> None:
        self.erased = False

    def evolve(self, event: Event) -> None:
        self.erased = isinstance(event, SubjectErased)


def record_erasure(issued: CommandEnvelope[RecordErasure], subject: Subject) -> None:
    """Notes it, once."""
    if not subject.erased:
        subject.record(SubjectErased(subject=issued.data.subject))


DECISIONS = (Decision(RecordErasure, lambda issued: (Ref(Subject, issued.data.subject),), record_erasure),)
