"""Validation: a partner's rule book, and one verdict for each delivery."""

import json
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote

from jsonschema_rs import Draft202012Validator, ReferencingError, RegexOptions, ValidationError
from pydantic import JsonValue

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.data_ingestion.ingestion import DataIngested, Payload
from schemas.data_ingestion.validation import (
    DataValidated,
    RecordValidation,
    RegisterSchema,
    RuleViolation,
    SchemaRegistered,
    ValidateData,
)
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import Conflict, Rejected, pointer_of, step
from schemas.message import Command

MAX_VIOLATIONS = 1000
MAX_TEXT = 300
"""Characters of a pointer or a detail of a violation; a longer one ends with an ellipsis."""
MAX_BYTES = 768 * 1024
"""Bytes of the texts of a verdict's violations, as JSON in ASCII: its event fits into a record of every installation."""
_MAX_STEPS = 10_000
TOO_COSTLY = RuleViolation(pointer="", rule="", detail="the schema takes too long to check on this payload")
"""The only violation of a delivery whose check was ended."""
COSTLY_BEFORE = RuleViolation(pointer="", rule="", detail="not checked: the schema took too long to check on other payloads")
"""The only violation of a delivery that is not checked because its schema is too costly on most payloads."""

DEFAULT_SCHEMA: dict[str, JsonValue] = {"type": "object", "minProperties": 1}
"""The schema of partners who registered none: a delivery must not be empty."""


class RuleBook(State, snapshot_every=200):  # each registered schema adds an event
    """The schema that a partner's data must meet."""

    revision: int = 0
    json_schema: dict[str, JsonValue] = DEFAULT_SCHEMA


def evolve(rules: RuleBook, event: SchemaRegistered) -> RuleBook:
    return rules.replace(revision=rules.revision + 1, json_schema=event.json_schema)


RULE_BOOK = Stream("rulebook", RuleBook, evolve)
INSPECTION = Stream("inspection")


def register_schema(command: CommandEnvelope[RegisterSchema], rules: RuleBook) -> Events:
    """Puts a partner's schema in force, unless it is in force already. It was compiled before."""
    schema = command.data.json_schema
    if rules.json_schema != schema or not rules.revision:
        yield SchemaRegistered(partner_id=command.data.partner_id, json_schema=schema)


def record_validation(command: CommandEnvelope[RecordValidation], rules: RuleBook) -> Events:
    """Records the result of a validation, which is one by the schema in force at the position of the result."""
    found = command.data
    if found.schema_revision != rules.revision:
        raise Conflict(f"the schema of {found.partner_id} has changed meanwhile")
    yield DataValidated(
        data_id=found.data_id,
        partner_id=found.partner_id,
        verdict="invalid" if found.violations else "valid",
        violations=found.violations,
        schema_revision=found.schema_revision,
    )


def is_valid(schema: dict[str, JsonValue], payload: Payload) -> bool:
    """Returns whether a payload meets a schema."""
    return _validator_of(json.dumps(schema)).is_valid(payload)


def violations_of(schema: dict[str, JsonValue], payload: Payload) -> list[RuleViolation]:
    """Returns the rules of a schema that a payload violates, at most `MAX_VIOLATIONS`, and `MAX_BYTES` in all."""
    found: list[RuleViolation] = []
    room = MAX_BYTES
    for error in islice(_validator_of(json.dumps(schema)).iter_errors(payload), MAX_VIOLATIONS):
        pointer, rule = _shortened_pointer(error.instance_path), _shortened_pointer(error.schema_path)
        violation = RuleViolation(pointer=pointer, rule=rule, detail=shortened(error.message))
        room -= len(json.dumps(violation.pointer + violation.rule + violation.detail))
        if room < 0:
            break
        found.append(violation)
    return found


def check_compiles(schema: dict[str, JsonValue]) -> None:
    """Raises `Rejected` like `compiled`."""
    compiled(schema)


def compiled(schema: dict[str, JsonValue]) -> Draft202012Validator:
    """Returns a validator that reads no other document and whose patterns take linear time.

    Raises `Rejected` if the schema is broken, refers to another document, or uses a pattern (look-around, back
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


def request_validation(ingested: RecordedEvent[DataIngested]) -> Iterable[Command]:
    """Validates every delivery."""
    data = ingested.data
    yield ValidateData(data_id=data.data_id, partner_id=data.partner_id, payload=data.payload)


@lru_cache(maxsize=256)
def _validator_of(schema: str) -> Draft202012Validator:
    # Compiling takes far longer than validating one delivery, and most deliveries are of few partners.
    return compiled(json.loads(schema))


def shortened(text: str) -> str:
    """Returns a text, shortened because it may quote a whole payload; it ends with an ellipsis then."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _shortened_pointer(path: Iterable[str | int]) -> str:
    # A name may be as long as the payload, and occur in every pointer: no more of it is copied than is shown.
    pointer = ""
    for key in path:
        if len(pointer) > MAX_TEXT:
            break
        pointer = step(pointer, key if isinstance(key, int) else key[: MAX_TEXT + 1])
    return shortened(pointer)


def check_references(schema: JsonValue) -> None:
    """Rejects references to other documents, and references that expand to too many rules.

    If each definition refers twice to the next one, the rules double with each: forty of them would take hours.
    """
    cost: dict[str, int] = {}

    def steps(value: JsonValue) -> int:
        total = 1
        if isinstance(value, dict):
            for keyword, inner in value.items():
                if keyword in ("$ref", "$dynamicRef") and isinstance(inner, str):
                    total += expanded(inner)
                else:
                    total += steps(inner)
        elif isinstance(value, list):
            total += sum(map(steps, value))
        if total > _MAX_STEPS:
            raise Rejected(f"the schema expands to more than {_MAX_STEPS} rules")
        return total

    def expanded(reference: str) -> int:
        if reference not in cost:
            cost[reference] = 1  # a recursive reference costs nothing more: it applies to a deeper value
            cost[reference] = steps(_target(schema, reference))
        return cost[reference]

    try:
        steps(schema)
    except RecursionError:
        raise Rejected("the schema's references are nested too deeply: use fewer levels") from None


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


DECISIONS = (
    Decision(RegisterSchema, RULE_BOOK.create_or_change("partner_id"), register_schema),
    Decision(RecordValidation, INSPECTION.create("data_id"), record_validation, reads=(RULE_BOOK.at("partner_id"),)),
)
POLICIES = (Policy("validate-what-is-ingested", {DataIngested: request_validation}),)
