"""What the engine does outside: it destroys the keys of subjects that are to be forgotten."""

from command_api.handling.activities import Activity, Surroundings
from schemas.engine.privacy import ForgetSubject, RecordForgetting
from schemas.envelope import Issued
from schemas.errors import Refused


async def forget(issued: Issued[ForgetSubject], surroundings: Surroundings) -> RecordForgetting:
    """Destroys the key first, so that whoever is recorded as forgotten is.

    Raises `Refused` where there is none: whoever mistook an id must not believe that somebody is forgotten.
    """
    if not issued.command.in_advance and not await surroundings.keys.knows(issued.command.subject):
        raise Refused("nothing is sealed for this subject; in_advance says that nothing ever shall be")
    await surroundings.keys.forget(issued.command.subject)
    return RecordForgetting(subject=issued.command.subject)


ACTIVITIES = (Activity(ForgetSubject, forget),)
