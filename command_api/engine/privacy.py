"""What the engine does outside: it destroys the keys of subjects that are to be erased."""

from command_api.handling.activities import Activity, ActivityContext
from schemas.engine.privacy import EraseSubject, RecordErasure
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


async def erase(issued: CommandEnvelope[EraseSubject], surroundings: ActivityContext) -> RecordErasure:
    """Destroys the key first, so that whoever is recorded as erased is.

    Raises `Rejected` where there is none: whoever mistook an id must not believe that somebody is erased.
    """
    if not issued.data.in_advance and not await surroundings.keys.knows(issued.data.subject):
        raise Rejected("nothing is encrypted for this subject; in_advance says that nothing ever shall be")
    await surroundings.keys.erase(issued.data.subject)
    return RecordErasure(subject=issued.data.subject)


ACTIVITIES = (Activity(EraseSubject, erase),)
