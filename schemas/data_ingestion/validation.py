"""Validation: checks each delivery against the JSON Schema that its partner registered."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.data_ingestion.ingestion import Payload
from schemas.message import Command, Event
from schemas.values.names import NaturalKey

Verdict = Literal["valid", "invalid"]


class RegisterSchema(Command):
    """Sets the JSON Schema (draft 2020-12) that a partner's data must meet from now on."""

    partner_id: NaturalKey
    json_schema: Annotated[dict[str, JsonValue], Field(description="A JSON Schema, draft 2020-12, without remote references.")]


class ValidateData(Command, internal=True):
    """Validates one delivery, once."""

    data_id: UUID
    partner_id: NaturalKey
    payload: Payload


class RuleViolation(BaseModel):
    """One rule that a delivery breaks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pointer: str = Field(description="JSON pointer (RFC 6901) to the offending value in the payload.")
    rule: str = Field(description="JSON pointer to the rule in the schema.")
    detail: str


class RecordValidation(Command, internal=True):
    """Records the result of a validation, unless the partner's schema has changed meanwhile."""

    data_id: UUID
    partner_id: NaturalKey
    violations: list[RuleViolation]
    schema_revision: int


class SchemaRegistered(Event):
    """A partner's schema was registered; the partner's data must meet it from now on."""

    partner_id: str
    json_schema: dict[str, JsonValue]


class DataValidated(Event):
    """A delivery was validated; every violation is listed."""

    data_id: UUID
    partner_id: str
    verdict: Verdict
    violations: list[RuleViolation]
    schema_revision: int = Field(description="Revision of the partner's schema that it was checked against; 0 is the default.")


COMMANDS = (RegisterSchema, ValidateData, RecordValidation)
EVENTS = (SchemaRegistered, DataValidated)
