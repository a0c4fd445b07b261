"""What the engine does outside: it destroys the keys of subjects that are to be erased."""

from command_api.handling.activities import Activity, ActivityContext
from schemas.engine.privacy import EraseSubject, RecordErasure
from schemas.envelope import Issued
from schemas.errors import Rejected


async def erase(issued: Issued[EraseSubject], surroundings: ActivityContext) -> RecordErasure:
    """Destroys the key first, so that whoever is recorded as erased is.

    Raises `Rejected` where there is none: whoever mistook an id must not believe that somebody is erased.
    """
    if not issued.command.in_advance and not await surroundings.keys.knows(issued.command.subject):
        raise Rejected("nothing is encrypted for this subject; in_advance says that nothing ever shall be")
    await surroundings.keys.erase(issued.command.subject)
    return RecordErasure(subject=issued.command.subject)


ACTIVITIES = (Activity(EraseSubject, erase),)
