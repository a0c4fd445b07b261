"""The engine's activity: it destroys the keys of data subjects that are erased."""

from command_api.handling.activities import Activity, ActivityContext
from schemas.engine.privacy import EraseSubject, RecordErasure
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


async def erase(command: CommandEnvelope[EraseSubject], context: ActivityContext) -> RecordErasure:
    """Destroys the key before the erasure is recorded, so that every recorded erasure has happened.

    Raises `Rejected` if there is no key, so that a caller with a wrong id does not count the subject as erased.
    """
    if not command.data.in_advance and not await context.keys.knows(command.data.subject):
        raise Rejected("nothing is encrypted for this subject; set in_advance to erase it in advance")
    await context.keys.erase(command.data.subject)
    return RecordErasure(subject=command.data.subject)


ACTIVITIES = (Activity(EraseSubject, erase),)
