"""Validation on the write side: what takes too long is ended, and has a verdict."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aggregates.data_ingestion.validation import COSTLY_BEFORE, TOO_COSTLY, RuleBook
from command_api.data_ingestion.validation import compile_schema, validate
from command_api.handling.activities import ActivityContext
from schemas.data_ingestion.validation import RegisterSchema, ValidateData
from schemas.errors import Rejected
from streams.bounded_processes import MAX_ENDED, BoundedProcesses
from tests.unit.command_api.activity_context import context_of, sent


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


def delivery(payload: dict[str, Any], partner: str = "acme") -> Any:
    return sent(ValidateData(data_id="01940000-0000-7000-8000-0000000000ff", partner_id=partner, payload=payload))


@pytest.mark.parametrize("what", COSTLY)
async def test_a_check_that_takes_too_long_is_ended(processes: BoundedProcesses, what: str) -> None:
    schema, payload = COSTLY[what]

    found = await validate(delivery(payload, what), by(processes, schema))

    assert found.violations == [TOO_COSTLY]
    assert found.schema_revision == 1
    other = await validate(delivery({"n": 1}, what), by(processes, {"properties": {"n": {"pattern": "^a$"}}}))
    assert other.violations == []


async def test_a_schema_that_was_too_costly_several_times_is_not_checked_until_there_is_another(
    processes: BoundedProcesses,
) -> None:
    schema, payload = unevaluated(40), {"x": 1}
    context = by(processes, schema)
    command = delivery(payload, "costly")

    found = [(await validate(command, context)).violations for _ in range(MAX_ENDED + 1)]

    assert found == [[TOO_COSTLY]] * MAX_ENDED + [[COSTLY_BEFORE]]
    assert (await validate(delivery(payload, "other"), context)).violations == [TOO_COSTLY]
    better = replace(context_of(rulebook=RuleBook(revision=2, json_schema={"pattern": "^a"})), processes=processes)
    assert (await validate(command, better)).violations == []


async def test_a_partner_whose_schemas_took_too_long_to_compile_is_rejected_without_compiling() -> None:
    processes = BoundedProcesses(cpu_seconds=0.05)
    context = replace(context_of(), processes=processes)
    costly = sent(
        RegisterSchema(
            partner_id="p", json_schema={"properties": {f"{n}": {"pattern": f"^\\w{{300}}{n}$"} for n in range(3_000)}}
        )
    )
    try:
        for _ in range(MAX_ENDED):
            with pytest.raises(Rejected, match="the schema takes too long to compile: use fewer or smaller rules"):
                await compile_schema(costly, context)
        with pytest.raises(Rejected, match="too many schemas of this partner took too long to compile"):
            await compile_schema(costly, context)
    finally:
        processes.close()
