"""Privacy: data subjects are erased. Their events stay; what is encrypted in them can never be opened again."""

from pydantic import Field

from schemas.access import Access
from schemas.message import Command, Event
from schemas.text import Identifier

CONTEXT = "privacy"


class EraseSubject(Command, name="erase-subject", access=Access.to("privacy_officer")):
    """Destroys the key of a data subject, and with it all that is encrypted for them, everywhere."""

    subject: Identifier
    in_advance: bool = Field(default=False, description="Also somebody of whom nothing is kept: nothing ever will be.")


class RecordErasure(Command, name="record-erasure", internal=True):
    """Notes that a subject's key was destroyed."""

    subject: Identifier


class SubjectErased(Event, name="SubjectErased"):
    """A subject's key is destroyed."""

    subject: str


COMMANDS = (EraseSubject, RecordErasure)
EVENTS = (SubjectErased,)
