"""Data subjects, as far as the engine knows them: whether they were forgotten."""

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from schemas.engine.privacy import RecordForgetting, SubjectForgotten
from schemas.envelope import Issued
from schemas.message import Event


class Subject(Aggregate):
    """A data subject."""

    category = "subject"

    def __init__(self) -> None:
        self.forgotten = False

    def evolve(self, event: Event) -> None:
        self.forgotten = isinstance(event, SubjectForgotten)


def record_forgetting(issued: Issued[RecordForgetting], subject: Subject) -> None:
    """Notes it, once."""
    if not subject.forgotten:
        subject.record(SubjectForgotten(subject=issued.command.subject))


DECISIONS = (Decision(RecordForgetting, lambda issued: (Ref(Subject, issued.command.subject),), record_forgetting),)
