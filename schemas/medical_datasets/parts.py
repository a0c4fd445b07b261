"""Parts of messages that several contexts of the medical datasets use."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from schemas.access import Access
from schemas.values.text import PLAIN, without_control_characters

_IDS = UUID("2c6f0a0e-5d0b-5b1c-9d4e-7a8b1f2f6c31")
REMOVED = "***ANONIMIZADO***"
"""The clients' word in the place of what named a person."""
PRIVACY = Access.to("privacy_officer")
"""May see to which patient a token belongs."""

Label = Annotated[str, StringConstraints(max_length=200), AfterValidator(without_control_characters), PLAIN]
Reason = Annotated[str, StringConstraints(max_length=2000), AfterValidator(without_control_characters), PLAIN]
Notes = Annotated[str, Field(max_length=20_000)]
Data = dict[str, JsonValue]


def token_of(command_id: UUID) -> UUID:
    """Returns the pseudonym of the patient of a request: a new one for each, so that one patient's cannot be linked."""
    return uuid5(_IDS, f"token/{command_id}")


class Part(BaseModel):
    """A part of a message; unknown fields are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Diagnosis(Part):
    """A diagnosis, by its parts or as one text."""

    region: Label | None = None
    modality: Label | None = None
    pathology: Label | None = None
    text: Notes | None = None


class Packet(Part):
    """Everything that is known of an image besides its patient."""

    clinical_setting: Label = ""
    diagnosis: Diagnosis = Diagnosis()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    processing_context: Notes = ""
    clinical_notes: Notes = ""
    data: Data = Field(default_factory=dict)
