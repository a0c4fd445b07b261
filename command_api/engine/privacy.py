"""The engine's activity: it destroys the keys of data subjects that are erased."""

from command_api.handling.activities import Activity, ActivityContext
from schemas.engine.privacy import EraseSubject, RecordErasure
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


async def erase(command: CommandEnvelope[EraseSubject], context: ActivityContext) -> RecordErasure:
    """Destroys the key first: a subject that is recorded as erased is erased.

    Raises `Rejected` if there is no key: a caller who mistook an id must not believe that the subject is erased.
    """
    if not command.data.in_advance and not await context.keys.knows(command.data.subject):
        raise Rejected("nothing is encrypted for this subject; set in_advance to erase it before anything is")
    await context.keys.erase(command.data.subject)
    return RecordErasure(subject=command.data.subject)


ACTIVITIES = (Activity(EraseSubject, erase),)
