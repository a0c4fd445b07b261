"""Privacy: data subjects are forgotten. Their events stay; what is sealed in them can never be opened again."""

from pydantic import Field

from schemas.access import Access
from schemas.message import Command, Event
from schemas.text import Identifier

CONTEXT = "privacy"


class ForgetSubject(Command, name="forget-subject", access=Access.to("privacy_officer")):
    """Destroys the key of a data subject, and with it all that is sealed for them, everywhere."""

    subject: Identifier
    in_advance: bool = Field(default=False, description="Also somebody of whom nothing is kept: nothing ever will be.")


class RecordForgetting(Command, name="record-forgetting", internal=True):
    """Notes that a subject's key was destroyed."""

    subject: Identifier


class SubjectForgotten(Event, name="SubjectForgotten"):
    """A subject's key is destroyed."""

    subject: str


COMMANDS = (ForgetSubject, RecordForgetting)
EVENTS = (SubjectForgotten,)
