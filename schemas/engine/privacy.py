"""Privacy: erasure of data subjects. Their events stay; what is encrypted in them can never be decrypted again."""

from pydantic import Field

from schemas.access import Access
from schemas.message import Command, Event
from schemas.text import Identifier

CONTEXT = "privacy"


class EraseSubject(Command, access=Access.to("privacy_officer")):
    """Destroys the key of a data subject, and with it everything that is encrypted for them, everywhere."""

    subject: Identifier
    in_advance: bool = Field(default=False, description="Also for a subject of whom nothing is stored: nothing ever will be.")


class RecordErasure(Command, internal=True):
    """Records that a subject's key was destroyed."""

    subject: Identifier


class SubjectErased(Event):
    """A subject's key was destroyed."""

    subject: str


COMMANDS = (EraseSubject, RecordErasure)
EVENTS = (SubjectErased,)
