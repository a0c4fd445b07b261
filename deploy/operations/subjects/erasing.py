"""The erasure of data subjects."""

from pydantic import Field

from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Run
from schemas.access import Access
from schemas.engine.privacy import EraseSubject
from schemas.values.text import Identifier
from streams.encryption.subject_keys import SubjectKeys


class Erase(Parameters):
    """The data subject to erase."""

    subject: Identifier
    in_advance: bool = Field(default=False, description="Also a subject without stored data, so that none can be stored later.")


async def erase(run: Run, wanted: Erase) -> Result:
    """Destroys the key of a data subject for good, so that all data encrypted for the subject becomes unreadable.

    Raises `Rejected` if nothing is encrypted for the subject.
    """
    keys = SubjectKeys(run.settings, run.installation.within("caudal_writer").databases)
    is_known = await keys.knows(wanted.subject)
    has_data = "data is encrypted for this subject" if is_known else "nothing is encrypted for this subject"
    run.say(f"{wanted.subject}: {has_data}.")
    run.say("Its key will be destroyed for good: what is encrypted for it in logs, topics, views and files can never be read.")
    if await run.begin({"has_key": is_known}):
        receipt = await run.issue(EraseSubject(subject=wanted.subject, in_advance=wanted.in_advance))
        run.say(f"{wanted.subject} is erased, recorded at position {receipt.position} of engine.privacy.", "good")
    return Result(after={"has_key": False})


ERASE = Operation("subjects/erase", Erase, erase, access=Access.to("privacy_officer"))
