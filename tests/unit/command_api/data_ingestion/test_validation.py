"""Validation on the write side: what takes too long is ended, and has a verdict."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aggregates.data_ingestion.validation import RuleBook
from command_api.data_ingestion.validation import validate
from command_api.handling.activities import ActivityContext
from schemas.data_ingestion.validation import RuleViolation, ValidateData
from streams.bounded_processes import BoundedProcesses
from tests.unit.command_api.activity_context import context_of, sent

TOO_COSTLY = "the schema takes too long to check on this payload"


def branch(reference: str) -> dict[str, Any]:
    return {"properties": {"x": {reference: "#/$defs/a"}}}


def doubling(reference: str) -> dict[str, Any]:
    both = [branch(reference), branch(reference)]
    return {"$defs": {"a": {"type": "object", "anyOf": both}}, "$ref": "#/$defs/a"}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


def unevaluated(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"properties": {"x": True}}
    for _ in range(levels):
        schema = {"allOf": [schema], "unevaluatedProperties": False}
    return schema


LONG = "".join(random.Random(1).choices("ab", k=900_000))
COSTLY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a recursion that doubles": (doubling("$ref"), nested(45)),
    "a dynamic one": (doubling("$dynamicRef"), nested(45)),
    "rules about what is not evaluated": (unevaluated(40), {"x": 1}),
    "more violations than anybody reads": (
        {"properties": {"x": {"items": {"required": [str(n) for n in range(500)]}}}},
        {"x": [{}] * 100_000},
    ),
    "many rules for many items": (
        {"properties": {"x": {"allOf": [{"contains": {"const": n}} for n in range(2_000)]}}},
        {"x": [-1] * 100_000},
    ),
    "a pattern of many states": ({"properties": {"x": {"pattern": "^[ab]*a[ab]{1000}c$"}}}, {"x": LONG}),
}


@pytest.fixture(scope="module")
def processes() -> Iterator[BoundedProcesses]:
    made = BoundedProcesses(cpu_seconds=0.5)
    yield made
    made.close()


def by(processes: BoundedProcesses, schema: dict[str, Any]) -> ActivityContext:
    """Returns a context in which a partner's first schema is in force."""
    return replace(context_of(rulebook=RuleBook(revision=1, json_schema=schema)), processes=processes)


def delivery(payload: dict[str, Any]) -> Any:
    return sent(ValidateData(data_id="01940000-0000-7000-8000-0000000000ff", partner_id="acme", payload=payload))


@pytest.mark.parametrize("what", COSTLY)
async def test_a_check_that_takes_too_long_is_ended(processes: BoundedProcesses, what: str) -> None:
    schema, payload = COSTLY[what]

    found = await validate(delivery(payload), by(processes, schema))

    assert found.violations == [RuleViolation(pointer="", rule="", detail=TOO_COSTLY)]
    assert found.schema_revision == 1
    other = await validate(delivery({"n": 1}), by(processes, {"properties": {"n": {"pattern": "^a$"}}}))
    assert other.violations == []
