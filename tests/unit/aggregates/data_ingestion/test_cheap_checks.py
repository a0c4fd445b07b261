"""Cheap checks: a check that is made at once takes some milliseconds at most, with any keyword of the draft in its schema."""

import json
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import cycle
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.data_ingestion.cheap_checks import MAX_PAYLOAD, MAX_SCHEMA, is_cheap, size_of
from aggregates.data_ingestion.validation import DEFAULT_SCHEMA, is_valid
from schemas.errors import Rejected

MAX_SECONDS = 0.03
"""Processor time of compiling and checking; on an idle machine none takes a third of it."""

Wrap = Callable[[Any], dict[str, Any]]
"""Returns a schema with one keyword that applies, or may apply, another schema."""
APPLICATORS: dict[str, Wrap] = {
    "$defs": lambda inner: {"$defs": {"a": inner}, "$ref": "#/$defs/a"},
    "$dynamicRef": lambda inner: {"items": inner, "$dynamicRef": "#"},
    "$ref": lambda inner: {"items": inner, "$ref": "#"},
    "additionalProperties": lambda inner: {"additionalProperties": inner},
    "allOf": lambda inner: {"allOf": [inner]},
    "allOf twice": lambda inner: {"allOf": [inner, inner]},
    "anyOf": lambda inner: {"anyOf": [False, inner]},
    "contains": lambda inner: {"contains": inner, "maxContains": 9999, "minContains": 0},
    "contentSchema": lambda inner: {
        "contentSchema": inner,
        "contentMediaType": "application/json",
        "contentEncoding": "base64",
    },
    "dependentSchemas": lambda inner: {"dependentSchemas": {"x": inner}},
    "if": lambda inner: {"if": inner, "then": inner, "else": inner},
    "items": lambda inner: {"items": inner},
    "not": lambda inner: {"not": {"not": inner}},
    "oneOf": lambda inner: {"oneOf": [False, inner]},
    "patternProperties": lambda inner: {"patternProperties": {"^[a-z]*$": inner}},
    "prefixItems": lambda inner: {"prefixItems": [inner, inner]},
    "properties": lambda inner: {"properties": {"x": inner}},
    "propertyNames": lambda inner: {"propertyNames": inner},
    "unevaluatedItems": lambda inner: {"unevaluatedItems": inner},
    "unevaluatedItems of all": lambda inner: {"allOf": [inner], "unevaluatedItems": False},
    "unevaluatedProperties": lambda inner: {"unevaluatedProperties": inner},
    "unevaluatedProperties of all": lambda inner: {"allOf": [inner], "unevaluatedProperties": False},
}
TEXTS = st.text("abx", max_size=40)
NUMBERS = st.sampled_from([0, 1, 899, 899.0, 0.5, 1e300, 1e-300, 5e-324, 2**53 - 1, 2**63 - 1, -1])
COUNTS = st.sampled_from([0, 1, 9999, 2.0])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
REPEATS = st.sampled_from([1, 10, 100, 1000])


def many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Returns lists that are often long, of one value of which the last may differ."""
    return st.builds(lambda one, times, last: [one] * times + [last], values, REPEATS, values)


ASSERTIONS: dict[str, st.SearchStrategy[Any]] = {
    "$anchor": st.just("a"),
    "$comment": TEXTS,
    "$dynamicAnchor": st.just("a"),
    "$id": st.just("https://example.org/a"),
    "$schema": st.just("https://json-schema.org/draft/2020-12/schema"),
    "$vocabulary": st.just({"https://json-schema.org/draft/2020-12/vocab/core": True}),
    "const": VALUES | many(VALUES),
    "default": VALUES,
    "dependentRequired": st.dictionaries(TEXTS, st.just(["x"]), max_size=9),
    "deprecated": st.booleans(),
    "description": TEXTS,
    "enum": st.builds(
        lambda kind, n: [kind(i) for i in range(n)],
        st.sampled_from([int, float, str, lambda i: [i], lambda i: {"": i}]),
        REPEATS,
    )
    | many(VALUES),
    "examples": st.lists(VALUES, max_size=3),
    "exclusiveMaximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "format": st.sampled_from(["date", "email", "idn-hostname", "ipv6", "regex", "uri-template"]),
    "maxItems": COUNTS,
    "maxLength": COUNTS,
    "maxProperties": COUNTS,
    "maximum": NUMBERS,
    "minItems": COUNTS,
    "minLength": COUNTS,
    "minProperties": COUNTS,
    "minimum": NUMBERS,
    "multipleOf": st.sampled_from([1, 0.1, 1e-7, 5e-324]),
    "pattern": st.sampled_from(["^(a+)+$", "^[ab]*a[ab]{99}c$"]),
    "readOnly": st.booleans(),
    "required": st.sampled_from([1, 10, 100]).map(lambda n: [f"{i}" for i in range(n)]),
    "title": TEXTS,
    "type": st.sampled_from(["array", "object", "string", ["integer", "number"], ["array", "object", "integer", "string"]]),
    "uniqueItems": st.booleans(),
    "writeOnly": st.booleans(),
}
PLAIN: dict[str, Any] = {"properties": {"x": True}}
FEW = st.lists(st.sampled_from(sorted(ASSERTIONS)), max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: ASSERTIONS[name] for name in names})
)
PAYLOADS: tuple[dict[str, Any], ...] = ({"x": 1}, {"x": [[[{"x": 1}]]]}, {"x": {"x": {"x": {"x": 1}}}})
LEVELS = 16
"""So often is a keyword nested in itself: with each level doubling the work, that takes a tenth of a second, and not hours."""


def nested(levels: int, leaf: Any, *wraps: Wrap, beside: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """Returns a schema that nests some keywords in each other again and again, as long as it is not too large."""
    schema = leaf
    for _, wrap in zip(range(levels), cycle(wraps), strict=False):
        larger = {**beside, **wrap(schema)}
        if size_of(larger, MAX_SCHEMA) > MAX_SCHEMA:
            break
        schema = larger
    return schema


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a schema from all keywords of the draft."""
    wraps = draw(st.lists(st.sampled_from(sorted(APPLICATORS)), min_size=1, max_size=3))
    leaf = draw(st.just(PLAIN) | FEW)
    levels = draw(st.sampled_from([1, 3, LEVELS, LEVELS]))
    schema: dict[str, Any] = nested(levels, leaf, *(APPLICATORS[name] for name in wraps), beside=draw(FEW))
    return schema


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a payload that is often as large as may be, and nested."""
    value = draw(many(VALUES) | VALUES)
    for name in draw(st.lists(st.sampled_from(["x", ""]), max_size=30)):
        value = {"x": value} if name else [value]
    return {"x": value, **draw(st.dictionaries(TEXTS, VALUES, max_size=3))}


def seconds_of(schema: dict[str, Any], payload: dict[str, Any]) -> float:
    """Returns the processor time of the fastest of three checks; each compiles, because no schema is like another."""

    def once(number: int) -> float:
        other = {**schema, "title": f"{number}"}
        began = time.thread_time()
        with suppress(Rejected):  # it would not have been registered
            is_valid(other, payload)
        return time.thread_time() - began

    return min(map(once, range(3)))


@settings(max_examples=200, deadline=None)
@given(schemas(), payloads())
def test_a_check_that_is_made_at_once_takes_some_milliseconds(schema: dict[str, Any], payload: dict[str, Any]) -> None:
    if is_cheap(schema, payload):
        assert seconds_of(schema, payload) < MAX_SECONDS, (json.dumps(schema), json.dumps(payload))


@pytest.mark.parametrize("first", APPLICATORS)
def test_keywords_that_are_nested_in_each_other_take_some_milliseconds_at_once(first: str) -> None:
    for second, wrap in APPLICATORS.items():
        schema = nested(LEVELS, PLAIN, APPLICATORS[first], wrap)
        for payload in PAYLOADS:
            assert not is_cheap(schema, payload) or seconds_of(schema, payload) < MAX_SECONDS, (first, second)


@pytest.mark.parametrize("name", sorted(APPLICATORS.keys() - {"additionalProperties", "items", "properties"}))
def test_a_keyword_that_checks_a_value_again_is_not_cheap(name: str) -> None:
    assert not is_cheap(APPLICATORS[name](PLAIN), {"x": 1})


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": [0.5]},
        {"enum": [[1]]},
        {"const": {"a": 1}},
        {"maximum": 1e300},
        {"minimum": 2**53},
        {"multipleOf": 2},
        {"pattern": "^a"},
        {"format": "email"},
        {"uniqueItems": True},
        {"$id": "https://example.org/a"},
        {"items": [{"type": "string"}]},
        {"a keyword of nobody": 1},
    ],
)
def test_a_rule_whose_comparisons_cost_is_not_cheap(schema: dict[str, Any]) -> None:
    assert not is_cheap(schema, {"x": 1})
    assert not is_cheap({"properties": {"x": {"additionalProperties": {"items": schema}}}}, {"x": 1})


LARGEST: dict[str, tuple[dict[str, Any], Any]] = {
    "one of many texts": ({"enum": [*map(str, range(180)), None, True]}, True),
    "required names": ({"required": [str(n) for n in range(200)]}, {}),
    "names": ({"properties": {str(n): True for n in range(200)}}, {}),
    "bounds": ({"minimum": 0, "exclusiveMinimum": -1, "maximum": 2**53 - 1, "exclusiveMaximum": 2**53 - 1}, 1e-300),
    "types": ({"type": ["integer", "number"]}, 899.0),
    "a rule for no value": ({"items": False}, 1),
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_schemas_and_payloads_that_are_cheap_take_some_milliseconds(name: str) -> None:
    rule, value = LARGEST[name]
    schema: dict[str, Any] = {"additionalProperties": {"items": rule}}
    counts = range(1, MAX_PAYLOAD)
    count = bisect_left(counts, True, key=lambda n: not is_cheap(schema, {"x": [value] * n}))

    assert count > 500
    assert seconds_of(schema, {"x": [value] * count}) < MAX_SECONDS


@pytest.mark.parametrize(
    "schema",
    [
        DEFAULT_SCHEMA,
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "a delivery",
            "type": "object",
            "required": ["name", "lines"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 80},
                "kind": {"enum": ["small", "large", None]},
                "lines": {"type": "array", "maxItems": 100, "items": {"type": "object", "properties": {"n": {"minimum": 1}}}},
            },
        },
    ],
)
def test_usual_schemas_are_cheap(schema: dict[str, Any]) -> None:
    assert is_cheap(schema, {"name": "x", "lines": [{"n": 1}] * 20})


def test_a_large_schema_or_payload_is_not_cheap() -> None:
    assert not is_cheap({"enum": ["x" * MAX_SCHEMA]}, {})
    assert not is_cheap(DEFAULT_SCHEMA, {"x": "y" * MAX_PAYLOAD})
    assert not is_cheap(DEFAULT_SCHEMA, {"x" * MAX_PAYLOAD: 1})


def test_the_size_of_a_large_document_is_not_counted_to_its_end() -> None:
    document: dict[str, Any] = {"x": [{"y": [1] * 10}] * 50_000}
    began = time.thread_time()

    assert size_of(document, MAX_PAYLOAD) > MAX_PAYLOAD
    assert time.thread_time() - began < 0.005
