"""Clinical results: recorded by users, read by them and by the patients. Each reading is recorded."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import ConfigDict, Field, model_validator

from schemas.access import Access
from schemas.clinical_lab.users import user_id_of
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, OptionalSensitiveUsername, Sensitive, is_encrypted
from schemas.values.names import caseless
from schemas.values.stated import RULES
from schemas.values.text import Identifier

_DERIVED = "the patient's id is derived from the name: leave it out"
_PATIENTS = UUID("8a52d0f4-7c3e-5b19-8e61-2f90c4ab6d73")


def patient_id_of(patient: str, username: str | None) -> UUID:
    """Returns the id of a result's patient: that of the user, or one derived from the name of a patient who is no user."""
    return uuid5(_PATIENTS, caseless(patient)) if username is None else user_id_of(username)


def _given_patient(given: dict[str, Any]) -> UUID:
    return patient_id_of(given["patient"], given["patient_username"])


class RecordResult(Command, name="record-result", subject="patient_id", access=Access()):
    """Records a patient's result."""

    model_config = ConfigDict(
        json_schema_extra={RULES: [_DERIVED], "examples": [{"patient": "Ana P\u00e9rez", "result": "negative"}]}
    )

    patient: Annotated[str, Sensitive(max_length=200)]
    patient_username: OptionalSensitiveUsername = Field(
        default=None, description="The patient's user name; a patient without one cannot read the result."
    )
    result: Annotated[str, Sensitive(max_length=20_000)]
    patient_id: UUID = Field(default_factory=_given_patient, description="Derived from the name; need not be given.")

    @model_validator(mode="after")
    def _is_that_of_the_name(self) -> "RecordResult":
        if not is_encrypted(self.patient) and self.patient_id != patient_id_of(self.patient, self.patient_username):
            raise ValueError(_DERIVED)
        return self


class RecordResultQuery(Command, internal=True):
    """Records that a user read a result."""

    result_id: UUID
    queried_by: Identifier


class ResultRecorded(Event):
    """A patient's result was recorded."""

    result_id: UUID
    number: int = Field(description="Its number in the laboratory, from 1.")
    patient_id: UUID
    clinician_id: str | None
    patient: Encrypted
    result: Encrypted


class NumberTaken(Event):
    """The laboratory's next number was given to a result."""

    number: int
    result_id: UUID


class ResultQueried(Event):
    """A user read a result."""

    query_id: UUID
    result_id: UUID
    number: int
    patient_id: UUID
    queried_by: str
    queried_at: datetime


COMMANDS = (RecordResult, RecordResultQuery)
EVENTS = (ResultRecorded, NumberTaken, ResultQueried)
