"""Cheap checks: which JSON Schemas can be checked on which payloads at once, because it takes some milliseconds at most.

A schema is cheap if it has no other keywords than those listed here. Then each value of the payload is checked by one rule
of the schema, so the work is less than the product of both sizes. `allOf` and others check a value several times,
`unevaluatedProperties` repeats the checks inside of it, and a comparison of fractions or of long documents takes microseconds.
"""

from typing import Any

from pydantic import JsonValue

MAX_SCHEMA, MAX_PAYLOAD, MAX_PRODUCT = 1_000, 4_000, 1_000_000
"""Largest sizes, in values and characters."""
_LARGEST = 2**53
_ANNOTATIONS = frozenset(
    {"$comment", "$schema", "default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"}
)
_COUNTS = frozenset({"maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"})
_BOUNDS = frozenset({"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"})
_PLAIN = _ANNOTATIONS | {"required", "type"}


def is_cheap(schema: dict[str, JsonValue], payload: dict[str, JsonValue]) -> bool:
    """Returns whether a schema can be compiled, and a payload checked for validity, within some milliseconds.

    To name what is wrong may take longer: each violation quotes a part of the payload.
    """
    of_schema, of_payload = size_of(schema, MAX_SCHEMA), size_of(payload, MAX_PAYLOAD)
    return of_schema <= MAX_SCHEMA and of_payload <= MAX_PAYLOAD and of_schema * of_payload <= MAX_PRODUCT and _is_plain(schema)


def size_of(document: JsonValue, limit: int) -> int:
    """Returns the number of values and characters of a document; of one above ``limit``, some number above it."""
    size, rest = 0, [document]
    while rest and size <= limit:
        value = rest.pop()
        size += 1 + (len(value) if isinstance(value, str | list | dict) else 0)
        if size > limit:
            break
        if isinstance(value, dict):
            size += sum(map(len, value))
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
    return size


def _is_plain(schema: JsonValue) -> bool:
    if isinstance(schema, dict):
        return all(_is_plain_keyword(keyword, value) for keyword, value in schema.items())
    return isinstance(schema, bool)


def _is_plain_keyword(keyword: str, value: Any) -> bool:
    if keyword in ("additionalProperties", "items"):
        return _is_plain(value)
    if keyword == "properties":
        return isinstance(value, dict) and all(map(_is_plain, value.values()))
    if keyword == "enum":
        return isinstance(value, list) and all(map(_is_plain_value, value))
    if keyword == "const":
        return _is_plain_value(value)
    if keyword in _COUNTS or keyword in _BOUNDS:
        return isinstance(value, int) and abs(value) < _LARGEST
    return keyword in _PLAIN


def _is_plain_value(value: JsonValue) -> bool:
    return value is None or isinstance(value, str | bool)
