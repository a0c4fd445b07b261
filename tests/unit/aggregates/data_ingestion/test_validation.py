"""Validation: each delivery is checked against its partner's schema, once."""

import re

import pytest
from pydantic import JsonValue

from aggregates.data_ingestion.validation import (
    DECISIONS,
    DEFAULT_SCHEMA,
    MAX_TEXT,
    MAX_VIOLATIONS,
    POLICIES,
    check_compiles,
    compiled,
    is_valid,
    violations_of,
)
from aggregates.scenario import FIRST_ID, Scenario, reaction_of
from schemas.data_ingestion.ingestion import DataIngested
from schemas.data_ingestion.validation import (
    DataValidated,
    RecordValidation,
    RegisterSchema,
    RuleViolation,
    SchemaRegistered,
    ValidateData,
    Verdict,
)
from schemas.errors import AlreadyExists, Conflict, Rejected
from streams.log.stored_events import check_publishable, encode
from streams.settings import Settings

SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": {"type": "string", "pattern": "^[A-Z]{3}$"}, "a/b": {"items": {"type": "integer"}}},
}
REGISTERED = SchemaRegistered(partner_id="acme", json_schema=SCHEMA)


def validate(payload: dict[str, JsonValue]) -> ValidateData:
    return ValidateData(data_id=FIRST_ID, partner_id="acme", payload=payload)


def checked(payload: dict[str, JsonValue], schema: dict[str, JsonValue] | None = None) -> RecordValidation:
    """Returns the result of checking a payload against a partner's only schema, or against the default one."""
    violations, revision = violations_of(schema or DEFAULT_SCHEMA, payload), 0 if schema is None else 1
    return RecordValidation(data_id=FIRST_ID, partner_id="acme", violations=violations, schema_revision=revision)


def verdict(verdict: Verdict, *violations: RuleViolation, revision: int = 1) -> DataValidated:
    return DataValidated(
        data_id=FIRST_ID, partner_id="acme", verdict=verdict, violations=list(violations), schema_revision=revision
    )


def test_without_a_schema_anything_that_says_something_is_valid() -> None:
    Scenario(DECISIONS).when(checked({"x": None})).then(verdict("valid", revision=0))


def test_without_a_schema_an_empty_payload_is_invalid() -> None:
    Scenario(DECISIONS).when(checked({})).then(
        verdict("invalid", RuleViolation(pointer="", rule="/minProperties", detail="{} has less than 1 property"), revision=0)
    )


def test_a_payload_that_meets_the_schema_is_valid() -> None:
    Scenario(DECISIONS).given("rulebook-acme", REGISTERED).when(checked({"code": "JFK"}, SCHEMA)).then(verdict("valid"))


def test_each_violation_is_named_by_the_pointers_of_value_and_rule() -> None:
    scenario = Scenario(DECISIONS).given("rulebook-acme", REGISTERED).when(checked({"code": "jfk", "a/b": [1, "x"]}, SCHEMA))

    (event,) = scenario.recorded
    assert isinstance(event, DataValidated)
    assert event.verdict == "invalid"
    assert {(v.pointer, v.rule) for v in event.violations} == {
        ("/code", "/properties/code/pattern"),
        ("/a~1b/1", "/properties/a~1b/items/type"),
    }


def test_another_partners_schema_does_not_matter() -> None:
    Scenario(DECISIONS).given("rulebook-other", REGISTERED).when(checked({"x": 1})).then(verdict("valid", revision=0))


def test_a_verdict_is_given_once() -> None:
    Scenario(DECISIONS).given(f"inspection-{FIRST_ID}", verdict("valid")).when(checked({"x": 1})).then_rejected(AlreadyExists)


def test_a_schema_is_registered_and_replaced() -> None:
    stricter: dict[str, JsonValue] = {**SCHEMA, "required": ["code", "name"]}
    scenario = Scenario(DECISIONS).when(RegisterSchema(partner_id="acme", json_schema=SCHEMA)).then(REGISTERED)

    scenario.when(RegisterSchema(partner_id="acme", json_schema=stricter))

    scenario.then(SchemaRegistered(partner_id="acme", json_schema=stricter))


def test_the_schema_in_force_need_not_be_recorded_again() -> None:
    Scenario(DECISIONS).given("rulebook-acme", REGISTERED).when(RegisterSchema(partner_id="acme", json_schema=SCHEMA)).then()


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "objekt"}, "/type"),
        ({"minLength": -1}, "/minLength"),
        ({"properties": {"a": {"pattern": "("}}}, "/properties/a/pattern"),
        ({"pattern": "(?=x)"}, "/pattern"),
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"$ref": "http://127.0.0.1:9/x.json"}, "remote references are not followed"),
    ],
)
def test_a_broken_schema_is_rejected(schema: dict[str, JsonValue], why: str) -> None:
    with pytest.raises(Rejected, match=re.escape(why)):
        check_compiles(schema)


def test_a_pattern_made_to_stall_is_matched_in_no_time() -> None:
    schema: dict[str, JsonValue] = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    registered = SchemaRegistered(partner_id="acme", json_schema=schema)

    scenario = Scenario(DECISIONS).given("rulebook-acme", registered).when(checked({"a": "a" * 5000 + "!"}, schema))

    (event,) = scenario.recorded
    assert isinstance(event, DataValidated)
    assert event.verdict == "invalid"


def test_a_schema_that_expands_without_end_is_rejected() -> None:
    definitions: dict[str, JsonValue] = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(40)
    }
    bomb: dict[str, JsonValue] = {"$ref": "#/$defs/d0", "$defs": {**definitions, "d40": {"type": "object"}}}

    with pytest.raises(Rejected, match="expands"):
        check_compiles(bomb)


def test_a_schema_may_refer_to_itself() -> None:
    tree: dict[str, JsonValue] = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "n": {"type": "integer"}}}
    scenario = Scenario(DECISIONS).when(RegisterSchema(partner_id="acme", json_schema=tree))
    check_compiles(tree)

    scenario.when(checked({"left": {"right": {"n": "x"}}}, tree))

    (event,) = scenario.recorded
    assert isinstance(event, DataValidated)
    assert [violation.pointer for violation in event.violations] == ["/left/right/n"]


def test_violations_are_limited_in_number_and_length() -> None:
    schema: dict[str, JsonValue] = {"properties": {"x": {"items": {"type": "string"}}}}
    registered = SchemaRegistered(partner_id="acme", json_schema=schema)
    scenario = Scenario(DECISIONS).given("rulebook-acme", registered).when(checked({"x": [["y" * 1000]] * 2000}, schema))

    (event,) = scenario.recorded
    assert isinstance(event, DataValidated)
    assert len(event.violations) == 1000
    assert max(len(violation.detail) for violation in event.violations) == 300


def test_every_ingested_delivery_is_validated() -> None:
    ingested = DataIngested(data_id=FIRST_ID, partner_id="acme", payload={"x": 1})

    assert reaction_of(POLICIES[0], ingested) == (validate({"x": 1}),)


def test_a_long_chain_of_references_is_rejected() -> None:
    definitions: dict[str, JsonValue] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(1500)}

    with pytest.raises(Rejected, match="references are nested too deeply: use fewer levels"):
        compiled({"$ref": "#/$defs/d0", "$defs": {**definitions, "d1500": {}}})


def test_a_result_by_another_schema_than_that_in_force_is_not_recorded() -> None:
    scenario = Scenario(DECISIONS).given("rulebook-acme", REGISTERED)

    with pytest.raises(Conflict, match="the schema of acme has changed meanwhile"):
        scenario.when(checked({"x": 1}))


def test_long_pointers_are_shortened_and_show_it() -> None:
    name = "k" * 100_000
    rules: dict[str, JsonValue] = {"additionalProperties": {"items": {"type": "string"}}}
    violations = violations_of(rules, {name: [1] * 2_000})

    assert {len(violation.pointer) for violation in violations} == {MAX_TEXT}
    assert violations[0].pointer == f"/{'k' * (MAX_TEXT - 2)}…"
    (violation,) = violations_of({"properties": {name: {"type": "string"}}}, {name: 1})
    assert violation.rule == f"/properties/{'k' * (MAX_TEXT - 13)}…"
    (violation,) = violations_of({"properties": {"a": {"type": "string"}}}, {"a": 1})
    assert (violation.pointer, violation.rule) == ("/a", "/properties/a/type")


def test_a_payload_is_valid_if_it_violates_no_rule() -> None:
    assert is_valid(SCHEMA, {"code": "JFK"})
    assert not is_valid(SCHEMA, {"code": "jfk"})


@pytest.mark.parametrize(("character", "fewest"), [("x", 999), ("\x01", 100), ("\U0001f600", 50)])
def test_a_verdict_fits_into_a_record_of_the_smallest_size(character: str, fewest: int) -> None:
    names = [character * 500 + str(n) for n in range(2_000)]
    rules: dict[str, JsonValue] = {"additionalProperties": {"properties": {name: {"type": "string"} for name in names}}}
    found = verdict("invalid", *violations_of(rules, {character * 500: dict.fromkeys(names, 1)}))

    assert fewest < len(found.violations) <= MAX_VIOLATIONS
    check_publishable(encode(found), Settings(max_body_bytes=1).max_record_bytes)
