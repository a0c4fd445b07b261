"""Examples for the schemas of an OpenAPI document, made of the schemas themselves."""

import re
from collections.abc import Mapping
from typing import Any

_PREFIX = "#/components/schemas/"
_DEEPEST = 6
_FORMATS = {
    "uuid": "01940000-0000-7000-8000-000000000001",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ana@example.org",
    "uri": "https://example.org/",
}
_TEXTS = ("example", "EXAMPLE", "ES", "1")
"""Texts to try if a schema has a pattern."""


def add_examples(schemas: Mapping[str, dict[str, Any]]) -> None:
    """Adds an example to each schema of an object that has fields and no example."""
    for name, schema in schemas.items():
        if schema.get("properties") and "examples" not in schema:
            schema["examples"] = [_example(name, schema, schemas, 0)]


def _example(name: str, schema: Any, schemas: Mapping[str, Any], depth: int) -> Any:
    """Returns an example of one schema; texts without a format are the name of their field."""
    if not isinstance(schema, Mapping):
        return "value"
    if "$ref" in schema:
        return _example(name, schemas.get(schema["$ref"].removeprefix(_PREFIX), {}), schemas, depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("default") is not None:
        return schema["default"]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return _example(name, choices[0], schemas, depth)
    return _of_type(name, schema, schemas, depth)


def _of_type(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, schemas, depth)
        case "array":
            count = max(int(depth < _DEEPEST), schema.get("minItems", 0))
            return [_example(name, schema.get("items", {}), schemas, depth + 1)] * count
        case "string":
            return _text(name, schema)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "value"


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> Any:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    shown = properties if depth < _DEEPEST else [name for name in properties if name in required]
    if not properties and depth < _DEEPEST:
        return {"name": _example("name", schema.get("additionalProperties", True), schemas, depth + 1)}
    return {name: _example(name, properties[name], schemas, depth + 1) for name in shown}


def _text(name: str, schema: Mapping[str, Any]) -> str:
    if "pattern" in schema:
        return next((text for text in _TEXTS if re.search(schema["pattern"], text)), name)
    text: str = _FORMATS.get(schema.get("format", ""), name)
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Mapping[str, Any]) -> float:
    lowest = schema.get("minimum", schema.get("exclusiveMinimum", 0) + schema.get("multipleOf", 1))
    number: float = min(max(lowest, 1), schema.get("maximum", lowest + 1))
    return number
