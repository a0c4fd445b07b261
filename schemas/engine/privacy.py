"""Privacy: erasure of data subjects. Their events stay; what is encrypted in them can never be decrypted again."""

from pydantic import Field

from schemas.access import Access
from schemas.message import Command, Event
from schemas.values.text import Identifier

CONTEXT = "privacy"


class EraseSubject(Command, access=Access.to("privacy_officer")):
    """Destroys the key of a data subject, so that all data encrypted for the subject becomes unreadable."""

    subject: Identifier
    in_advance: bool = Field(
        default=False, description="Also for a subject without stored data, so that none can be stored later."
    )


class RecordErasure(Command, internal=True):
    """Records that a subject's key was destroyed."""

    subject: Identifier


class SubjectErased(Event):
    """A subject's key was destroyed."""

    subject: str


COMMANDS = (EraseSubject, RecordErasure)
EVENTS = (SubjectErased,)
