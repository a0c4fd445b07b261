"""Processing: normalises, profiles and compares each delivery, and records every step."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.data_ingestion.ingestion import Payload
from schemas.message import Command, Event
from schemas.text import Identifier

JsonType = Literal["null", "boolean", "integer", "number", "string", "array", "object"]


class ProcessData(Command):
    """Processes one delivery, once."""

    data_id: UUID
    partner_id: Identifier
    payload: Payload


class Profile(BaseModel):
    """What a payload is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: dict[str, JsonType] = Field(
        description="JSON type of each value that holds no others, by JSON pointer: as many as fit into 32 KiB of pointers."
    )
    values: int = Field(description="How many such values there are, fitting or not.")
    nulls: int = Field(description="How many of them are null.")
    depth: int = Field(description="Levels of nesting; a flat object has 1.")


class ProcessingResults(BaseModel):
    """What processing found out about a delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_hash: str = Field(description="SHA-256 of the normalised payload, in hexadecimal.")
    duplicate_of: UUID | None = Field(description="The partner's first delivery of the same content, if not this one.")
    normalised: int = Field(description="How many values were changed to their normal form.")
    profile: Profile


class DataNormalised(Event):
    """A payload was brought into its normal form: text in NFC without outer blanks, empty text as null."""

    data_id: UUID
    payload: Payload
    changed: list[str] = Field(description="JSON pointers of the values that were changed, as many as fit into 32 KiB.")


class DataProfiled(Event):
    """The normalised payload was taken stock of."""

    data_id: UUID
    profile: Profile


class DuplicateFound(Event):
    """The partner delivered the same content before."""

    data_id: UUID
    duplicate_of: UUID
    content_hash: str


class DataProcessed(Event):
    """Processing of a delivery is complete."""

    data_id: UUID
    partner_id: str
    results: ProcessingResults


COMMANDS = (ProcessData,)
EVENTS = (DataNormalised, DataProfiled, DuplicateFound, DataProcessed)
