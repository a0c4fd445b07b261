"""Patients: whoever is named as a result's patient has to be a user already, or somebody else could become that user."""

from aggregates.clinical_lab.users import User
from command_api.handling.activities import Activity, ActivityContext
from schemas.clinical_lab.results import RecordResult
from schemas.clinical_lab.users import USERS
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


async def known(issued: CommandEnvelope[RecordResult], surroundings: ActivityContext) -> RecordResult:
    """The command as it is; raises `Rejected` where it names a user who is not there."""
    command = issued.data
    if command.patient_username is not None:
        user = await surroundings.load(USERS, User, str(command.patient_id))
        if user.is_new:
            raise Rejected("there is no user of the patient's name")
    return command


ACTIVITIES = (Activity(RecordResult, known),)
