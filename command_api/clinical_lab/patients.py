"""Patients: the patient of a result must be a user already, otherwise another person could register under that name."""

from aggregates.clinical_lab.users import USER
from command_api.handling.activities import Activity, ActivityContext
from schemas.clinical_lab.results import RecordResult
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected


async def check_patient(command: CommandEnvelope[RecordResult], context: ActivityContext) -> RecordResult:
    """Returns the command unchanged; raises `Rejected` if it names a user who does not exist."""
    if command.data.patient_username is not None:
        user = await context.load(USER, str(command.data.patient_id))
        if user.role is None:
            raise Rejected("there is no user of the patient's name")
    return command.data


ACTIVITIES = (Activity(RecordResult, check_patient),)
