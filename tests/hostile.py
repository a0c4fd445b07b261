"""Documents of a command's shape: ordinary ones of which a value or two are at the edges of what is allowed, or beyond them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from schemas.message import Command
from schemas.sensitive import MARK

NOBODY = "01940000-0000-7000-8000-0000000000ff"
Keys = Mapping[str, Sequence[str]]
"""Keys of the streams that exist, by category."""

WORDS = """acme REFERRAL AFFILIATION INFLUENCER ES RO CH NZ CO ZZ USD ContractCreated DeliveryFailed last-day again
    partner_alliances.contract-term partner_alliances.onboarding clinical_lab.redelivery 18547290 CHE107787577MWST 049091850
    B58378431 ES9121000418450200051332 inf nan 9999-12-31 ana@example.org % a-b timeout/x
    timeout/01940000-0000-7000-8000-0000000000ff -9223372036854775809"""
TEXTS = [
    *WORDS.split(), "", " ", "RO 18547290", "CHE-107.787.577 IVA", "x" * 200, "x" * 2001, "9" * 20, f"{MARK}x:y", "a\nb",
    "\u00b2", "\u2167", "\u0661\u0662", "\uff11\uff12", "Jos\u00e9", "Jose\u0301", "admin\u200b", "\u0958" * 101,
    "a\x00", "\ud800", "\U0001f600",
]  # fmt: skip
INTEGERS = [
    1, 0, -1, 2, 7, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 1.0,
    "5", "9223372036854775807", "9" * 20, "9" * 5000,
]  # fmt: skip
NUMBERS = [1, 0.5, 100, 0, -0.0, 5e-324, 1.7e308, 2**63, 2**70, "2.5", "inf", "-inf", "nan", "1e400"]
DAYS = [
    "2026-11-29", "2027-02-01", "9999-12-31", "9999-12-30", "0001-01-01", "2026-02-29", "10000-01-01", "2026-11-29T00:00:00Z",
    0, 1e11,
]  # fmt: skip
TIMES = [
    "2026-11-29T12:00:00Z", "2026-11-29T12:00:00+14:00", "2026-11-29T12:00:00-12:00", "2026-11-29T12:00:00", "2026-11-29",
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-12:00", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999999+14:00", "9999-12-31T23:59:59.999999-12:00", "10000-01-01T00:00:00Z", 0, 253402300799,
]  # fmt: skip
MEMBERS = [
    *["amount_cents", "currency", "commission_percent", "cookie_days", "fee_cents", "publications"],
    *["contract_id", "partner_id", "ends_on", "starts_on", "terms", "product", "minimum", "type", "a", "$ref", "/~"],
    "x\x00", "x\ud800", "",
]  # fmt: skip


def _nested(levels: int) -> Any:
    """Returns a value that is nested so deeply, by lists and objects in turn."""
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


NESTED = [_nested(levels) for levels in (60, 61, 62, 63, 64, 65, 200)]
"""A command's body may have 64 levels, of which its own members take one to three."""
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from([*INTEGERS, *NUMBERS, *TEXTS]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=3),
    max_leaves=4,
) | st.sampled_from(NESTED)
EDGES: Sequence[Any] = [
    "", " ", "a\x00", "\ud800", "Jos\u00e9", "Jose\u0301", "admin\u200b", "\u0661\u0662", "x" * 200, "x" * 2001, f"{MARK}x:y",
    "RO 18547290", "RO18547290", "CHE107787577MWST", "CHE-107.787.577 IVA", "049091850", "timeout/x",
    2**63 - 1, 2**63, -(2**63) - 1, 2**64, "9" * 20, "-9223372036854775809", 1.7e308, "inf", "nan", "1e400", -0.0,
    "9999-12-31", "0001-01-01", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-12:00", "2026-11-29T12:00:00",
    "9999-12-31T23:59:59.999999+14:00", "9999-12-31T23:59:59.999999-12:00",
    _nested(61), _nested(63), _nested(65), {"": 1}, {"x\x00": 1}, None, True,
]  # fmt: skip
"""Values that have passed one part of the engine and failed in another."""
TERMS = st.dictionaries(st.sampled_from(MEMBERS[:6]), st.sampled_from([*INTEGERS, *NUMBERS]), min_size=1, max_size=1)
"""One term of a contract, of any product."""
BY_TYPE: Mapping[str | None, Sequence[Any]] = {
    "integer": INTEGERS,
    "number": NUMBERS,
    "boolean": [True, False],
    "null": [None],
    "date": DAYS,
    "date-time": TIMES,
}
"""Values of a JSON type, or of a format of texts; the first two are ordinary."""
BY_MEMBER: Mapping[str, Sequence[Any]] = {
    "saga": ["partner_alliances.contract-term", "partner_alliances.onboarding", "clinical_lab.redelivery"],
    "name": ["ContractCreated", "ContractChanged", "DeliveryFailed", "last-day", "again"],
    "attempt": [1, 2],
    "country": ["ES", "RO", "CH"],
    "product": ["REFERRAL", "INFLUENCER"],
    "terms": [{}, {"currency": "EUR"}],
    "payload": [{}, {"a": 1}],
    "packet_json": ["{}", '{"clinical_notes": "x"}'],
    "username": ["eva", "Jos\u00e9"],
    "patient_username": ["ana", None],
    "password": ["password2"],
    "email": ["ana@example.org", "eva@example.org"],
}
"""Ordinary values of the members of these names."""


def documents(command: type[Command], keys: Keys) -> st.SearchStrategy[Any]:
    """Returns a strategy for documents of a command."""
    schema = command.model_json_schema()
    ordinary, hostile = (_Values(schema.get("$defs", {}), keys, is_hostile=one).of(schema) for one in (False, True))
    return st.one_of(_crossed(ordinary, hostile), hostile)


def edge_documents(command: type[Command], keys: Keys) -> Iterator[Any]:
    """Yields an ordinary document of a command, and then documents with each of `EDGES` at each place of it."""
    schema = command.model_json_schema()
    values = _Values(schema.get("$defs", {}), keys, is_hostile=False)
    yield values.first(schema)
    yield from values.edges(schema)


@st.composite
def _crossed(draw: st.DrawFn, ordinary: st.SearchStrategy[Any], hostile: st.SearchStrategy[Any]) -> Any:
    document = draw(ordinary)
    for _ in range(draw(st.integers(0, 2))):
        document = _with_one_value(draw, document, draw(hostile))
    return document


def _with_one_value(draw: st.DrawFn, document: Any, other: Any) -> Any:
    """Returns a document with one value of another one, which may be inside its members."""
    if not (isinstance(document, dict) and isinstance(other, dict) and other):
        return other
    name = draw(st.sampled_from(sorted(other)))
    return {**document, name: _with_one_value(draw, document[name], other[name]) if name in document else other[name]}


@dataclass(frozen=True)
class _Values:
    """Strategies for the values of one JSON Schema."""

    definitions: Mapping[str, Any]
    keys: Keys
    is_hostile: bool

    def of(self, schema: Any) -> st.SearchStrategy[Any]:
        if isinstance(schema, bool):
            return JSON
        if "$ref" in schema:
            return self.of(self.definitions[schema["$ref"].rpartition("/")[2]])
        if choices := schema.get("anyOf"):
            return st.one_of(*map(self.of, choices))
        if "enum" in schema or "const" in schema:
            return st.sampled_from(schema.get("enum", [schema.get("const")]))
        match schema.get("type"):
            case "object" if "properties" in schema:
                members = {name: self._member(name, inner) for name, inner in schema["properties"].items()}
                required = {name: inner for name, inner in members.items() if name in schema.get("required", ())}
                return st.fixed_dictionaries(required, optional={n: one for n, one in members.items() if n not in required})
            case "object":
                members_of_any_name = self.of(schema.get("additionalProperties", True))
                return st.dictionaries(st.sampled_from(MEMBERS), members_of_any_name, max_size=2)
            case "array":
                return st.lists(self.of(schema.get("items", True)), max_size=3)
            case "string":
                return self._text(schema)
            case kind if kind in BY_TYPE:
                return st.sampled_from(BY_TYPE[kind][: None if self.is_hostile else 2])
            case _:
                return JSON

    def edges(self, schema: Any) -> Iterator[Any]:
        """Yields values of a schema, each with one of `EDGES` at one place inside."""
        schema = self._resolved(schema)
        if choices := schema.get("anyOf"):
            for choice in choices:
                yield from self.edges(choice)
        elif "properties" in schema:
            ordinary = self.first(schema)
            for name, inner in schema["properties"].items():
                yield from ({**ordinary, name: value} for value in self.edges(inner))
        elif schema.get("type") == "array":
            yield from ([value] for value in self.edges(schema.get("items", {})))
        elif schema.get("type") == "object":
            yield from ({"a": value} for value in EDGES)
        elif schema.get("type") != "null":
            yield from EDGES

    def first(self, schema: Any, name: str = "") -> Any:
        """Returns an ordinary value of a schema, the same each time."""
        schema = self._resolved(schema)
        if ordinary := BY_MEMBER.get(name) or self.keys.get(name.removesuffix("_id")):
            return ordinary[0]
        if "properties" in schema:
            return {one: self.first(schema["properties"][one], one) for one in schema.get("required", ())}
        if "enum" in schema or "const" in schema:
            return schema.get("enum", [schema.get("const")])[0]
        if choices := schema.get("anyOf"):
            return self.first(choices[0])
        if schema.get("format") == "uuid":
            return NOBODY
        kind = schema.get("format", schema.get("type"))
        if kind == "string":
            return next(word for word in WORDS.split() if re.search(schema.get("pattern", "^[a-z]"), word))
        if kind == "array":
            return [self.first(schema["items"]) for _ in range(schema.get("minItems", 0))]
        return BY_TYPE[kind][0] if kind in BY_TYPE else {"a": 1}

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        if isinstance(schema, bool):
            return {}
        return self._resolved(self.definitions[schema["$ref"].rpartition("/")[2]]) if "$ref" in schema else schema

    def _member(self, name: str, schema: Any) -> st.SearchStrategy[Any]:
        if self.is_hostile:
            return TERMS | self.of(schema) if name == "terms" else self.of(schema)
        ordinary = BY_MEMBER.get(name) or self.keys.get(name.removesuffix("_id"))
        return st.sampled_from(ordinary) if ordinary else self.of(schema)

    def _text(self, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
        ids = [NOBODY, *(key for found in self.keys.values() for key in found)]
        if schema.get("format") == "uuid":
            return st.sampled_from(ids)
        if (found := BY_TYPE.get(schema.get("format"))) is not None:
            return st.sampled_from(found[: None if self.is_hostile else 2])
        if self.is_hostile:
            return st.sampled_from([*TEXTS, *ids]) | st.text(max_size=5)
        return st.sampled_from([word for word in WORDS.split() if re.search(schema.get("pattern", "^[a-z]"), word)])
