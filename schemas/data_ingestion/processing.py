"""Processing: normalises, profiles and compares each delivery, and records every step."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.data_ingestion.ingestion import Payload
from schemas.message import Command, Event
from schemas.values.names import NaturalKey

JsonType = Literal["null", "boolean", "integer", "number", "string", "array", "object"]


class ProcessData(Command, internal=True):
    """Processes one delivery, once."""

    data_id: UUID
    partner_id: NaturalKey
    payload: Payload


class Profile(BaseModel):
    """The types, number and nesting of a payload's values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: dict[str, JsonType] = Field(
        description="JSON type of each value that holds no others, by JSON pointer; at most 32 KiB of pointers."
    )
    values: int = Field(description="Number of all such values, listed or not.")
    nulls: int = Field(description="Number of such values that are null.")
    depth: int = Field(description="Levels of nesting; a flat object has 1.")


class ProcessingResults(BaseModel):
    """The results of processing a delivery."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content_hash: str = Field(description="SHA-256 of the normalised payload, in hexadecimal.")
    duplicate_of: UUID | None = Field(description="The partner's first delivery of the same content, if not this one.")
    normalised: int = Field(description="Number of values that were changed to their normal form.")
    profile: Profile


class DataNormalised(Event):
    """A payload was brought into its normal form: text in NFC without outer blanks, empty text as null."""

    data_id: UUID
    payload: Payload
    changed: list[str] = Field(description="JSON pointers of the changed values; at most 32 KiB of pointers.")


class DataProfiled(Event):
    """The normalised payload was profiled."""

    data_id: UUID
    profile: Profile


class DuplicateFound(Event):
    """The partner delivered the same content before."""

    data_id: UUID
    duplicate_of: UUID
    content_hash: str


class DataProcessed(Event):
    """A delivery was processed."""

    data_id: UUID
    partner_id: str
    results: ProcessingResults


COMMANDS = (ProcessData,)
EVENTS = (DataNormalised, DataProfiled, DuplicateFound, DataProcessed)
