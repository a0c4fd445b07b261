"""Samples: documents of the JSON Schemas that pydantic makes, to try upcasters and to show examples."""

from collections.abc import Mapping
from typing import Any

_TEXTS = {
    "uuid": "01940000-0000-7000-8000-000000000001",
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "someone@example.org",
    "uri": "https://example.org/",
}


def sample(schema: Mapping[str, Any], *, full: bool) -> Any:
    """Returns a document with every member that the schema has, or only with those that it requires."""
    return _value(schema, schema.get("$defs", {}), full, 0)


def _value(schema: Mapping[str, Any] | bool, definitions: Mapping[str, Any], full: bool, depth: int) -> Any:
    if isinstance(schema, bool) or not schema:
        return {}
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions, full and depth < 8, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0 if full else -1]
    if choices := schema.get("anyOf", schema.get("oneOf")):
        return _value(choices[0 if full else -1], definitions, full, depth)
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {}) if full else schema.get("required", ())
            properties, others = schema.get("properties", {}), schema.get("additionalProperties")
            members = {name: _value(properties.get(name, True), definitions, full, depth + 1) for name in wanted}
            if full and depth < 8 and isinstance(others, Mapping):
                name = _value(schema.get("propertyNames", {"type": "string"}), definitions, full, depth + 1)
                members[name] = _value(others, definitions, full, depth + 1)
            return members
        case "array":
            first = schema.get("prefixItems", ())
            items = max(int(full and depth < 8), len(first), schema.get("minItems", 0))
            rest = schema.get("items", True)
            wanted = [*first, *([rest] * items)][:items]
            return [_value(item, definitions, full, depth + 1) for item in wanted]
        case "string":
            return _TEXTS.get(
                schema.get("format", ""), "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
            )
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", schema.get("exclusiveMinimum", 0) + schema.get("multipleOf", 1)))
        case "boolean":
            return full
        case _:
            return None
