"""What the engine does outside: it destroys the keys of subjects that are to be forgotten."""

from command_api.activity import Activity, Surroundings
from schemas.engine.privacy import ForgetSubject, RecordForgetting
from schemas.envelope import Issued


async def forget(issued: Issued[ForgetSubject], surroundings: Surroundings) -> RecordForgetting:
    """Destroys the key first, so that whoever is recorded as forgotten is."""
    await surroundings.keys.forget(issued.command.subject)
    return RecordForgetting(subject=issued.command.subject)


ACTIVITIES = (Activity(ForgetSubject, forget),)
