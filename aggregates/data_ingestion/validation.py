"""Validation: a partner's rule book, and one verdict for each delivery."""

from collections.abc import Iterable
from itertools import islice
from urllib.parse import unquote

from jsonschema_rs import Draft202012Validator, ReferencingError, RegexOptions, ValidationError
from pydantic import BaseModel, JsonValue

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.policy import Policy
from aggregates.snapshot import SnapshotPolicy
from schemas.data_ingestion.ingestion import DataIngested, Payload
from schemas.data_ingestion.validation import (
    DataValidated,
    RegisterSchema,
    RuleViolation,
    SchemaRegistered,
    ValidateData,
)
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Command, Event
from schemas.pointer import pointer_of

MAX_VIOLATIONS = 1000
_LONGEST_DETAIL = 300
_MAX_STEPS = 10_000

DEFAULT_SCHEMA: dict[str, JsonValue] = {"type": "object", "minProperties": 1}
"""What every delivery has to meet until its partner registers a schema: to say something at all."""


class RuleBookState(BaseModel):
    """What a snapshot of a rule book keeps."""

    revision: int
    json_schema: dict[str, JsonValue]


class RuleBook(Aggregate):
    """The schema that a partner's data must meet."""

    category = "rulebook"
    snapshots = SnapshotPolicy(RuleBookState, every=200)  # a partner may register schemas for ever

    def __init__(self) -> None:
        self.revision = 0
        self.json_schema = DEFAULT_SCHEMA
        self._validator: Draft202012Validator | None = None

    def evolve(self, event: Event) -> None:
        if isinstance(event, SchemaRegistered):
            self.revision += 1
            self.json_schema = event.json_schema
            self._validator = None

    def violations(self, payload: Payload) -> list[RuleViolation]:
        """The rules that a payload breaks, `MAX_VIOLATIONS` at most."""
        self._validator = self._validator or compiled(self.json_schema)
        return [
            RuleViolation(pointer=pointer_of(e.instance_path), rule=pointer_of(e.schema_path), detail=shortened(e.message))
            for e in islice(self._validator.iter_errors(payload), MAX_VIOLATIONS)
        ]


class Inspection(Aggregate):
    """The verdict on one delivery."""

    category = "inspection"

    def evolve(self, event: Event) -> None:
        """Having been given is all its state: a verdict is given once."""


def register_schema(issued: CommandEnvelope[RegisterSchema], rules: RuleBook) -> None:
    """Takes on a partner's schema, unless it is broken or the one in force already."""
    command = issued.data
    compiled(command.json_schema)
    if rules.json_schema != command.json_schema or rules.is_new:
        rules.record(SchemaRegistered(partner_id=command.partner_id, json_schema=command.json_schema))


def validate_data(issued: CommandEnvelope[ValidateData], inspection: Inspection, rules: RuleBook) -> None:
    """Holds a delivery against the rules in force when the verdict is recorded."""
    command = issued.data
    if not inspection.is_new:
        raise AlreadyExists(f"the delivery {command.data_id} was validated before")
    violations = rules.violations(command.payload)
    inspection.record(
        DataValidated(
            data_id=command.data_id,
            partner_id=command.partner_id,
            verdict="invalid" if violations else "valid",
            violations=violations,
            schema_revision=rules.revision,
        )
    )


def compiled(schema: dict[str, JsonValue]) -> Draft202012Validator:
    """A validator that reads nothing from elsewhere and whose patterns take linear time.

    Raises `Rejected` where the schema is broken, refers to another document, or uses a pattern (look-around, back
    reference) that cannot be matched in linear time: a partner must not be able to stall the service.
    """
    check_references(schema)
    try:
        return Draft202012Validator(schema, retriever=_reject_to_read, pattern_options=RegexOptions())
    except ValidationError as broken:
        where = pointer_of(broken.instance_path) or "its root"
        raise Rejected(f"the schema is broken at {where}: {shortened(broken.message)}") from broken
    except (ReferencingError, ValueError) as broken:
        raise Rejected(f"the schema is broken: {broken}") from broken


def ask_for_a_verdict(ingested: RecordedEvent[DataIngested]) -> Iterable[Command]:
    """Whatever is ingested gets validated."""
    data = ingested.data
    yield ValidateData(data_id=data.data_id, partner_id=data.partner_id, payload=data.payload)


def shortened(text: str) -> str:
    """A text that may quote a whole payload, cut to what a reader needs."""
    return text if len(text) <= _LONGEST_DETAIL else f"{text[: _LONGEST_DETAIL - 1]}…"


def check_references(schema: JsonValue) -> None:
    """Rejects references to anything but places in the schema, and such that would unfold without end.

    Definitions that refer to each other twice unfold to the power of two: forty of them would keep a service busy for hours.
    """
    cost: dict[str, int] = {}

    def steps(value: JsonValue) -> int:
        total = 1
        if isinstance(value, dict):
            for keyword, inner in value.items():
                if keyword in ("$ref", "$dynamicRef") and isinstance(inner, str):
                    total += unfolded(inner)
                else:
                    total += steps(inner)
        elif isinstance(value, list):
            total += sum(map(steps, value))
        if total > _MAX_STEPS:
            raise Rejected(f"the schema unfolds to more than {_MAX_STEPS} rules")
        return total

    def unfolded(reference: str) -> int:
        if reference not in cost:
            cost[reference] = 1  # a reference back to where we are costs nothing more: it goes on with a deeper value
            cost[reference] = steps(_target(schema, reference))
        return cost[reference]

    steps(schema)


def _target(schema: JsonValue, reference: str) -> JsonValue:
    if reference != "#" and not reference.startswith("#/"):
        raise Rejected(f"remote references are not followed, only such as #/$defs/…: {reference}")
    target = schema
    for part in reference.split("/")[1:]:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(key)] if isinstance(target, list) else target[key]  # type: ignore[index]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Rejected(f"the schema is broken: {reference} leads nowhere") from None
    return target


def _reject_to_read(uri: str) -> JsonValue:
    raise ValueError(f"remote references are not followed: {uri}")


AGGREGATES = (RuleBook, Inspection)
DECISIONS = (
    Decision(RegisterSchema, lambda issued: (Ref(RuleBook, issued.data.partner_id),), register_schema),
    Decision(
        ValidateData,
        lambda issued: (
            Ref(Inspection, str(issued.data.data_id)),
            Ref(RuleBook, issued.data.partner_id),
        ),
        validate_data,
        creates=True,
    ),
)
POLICIES = (Policy("validate-what-is-ingested", {DataIngested: ask_for_a_verdict}),)
