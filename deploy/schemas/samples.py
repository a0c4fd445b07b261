"""Samples: documents of the JSON Schemas that pydantic makes, to try upcasters and to show examples."""

from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 8
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
    return _Sample(schema.get("$defs", {}), full=full).value(schema, 0)


class _Sample:
    """Values of the schemas in one document; those that are nested deeper than eight levels have only what is required."""

    def __init__(self, definitions: Mapping[str, Any], *, full: bool) -> None:
        self._definitions, self._full = definitions, full

    def value(self, schema: Mapping[str, Any] | bool, depth: int) -> Any:
        if isinstance(schema, bool) or not schema:
            return {}
        if "$ref" in schema:
            return self.value(self._definitions[schema["$ref"].removeprefix("#/$defs/")], depth + 1)
        if "const" in schema:
            return schema["const"]
        is_full = self._is_full(depth)
        if "enum" in schema:
            return schema["enum"][0 if is_full else -1]
        if choices := schema.get("anyOf", schema.get("oneOf")):
            return self.value(choices[0 if is_full else -1], depth)
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                text = "text".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
                return _TEXTS.get(schema.get("format", ""), text)
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return is_full
            case _:
                return None

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        wanted = properties if self._is_full(depth) else schema.get("required", ())
        members = {name: self.value(properties.get(name, True), depth + 1) for name in wanted}
        if self._is_full(depth) and isinstance(others, Mapping):
            name = self.value(schema.get("propertyNames", {"type": "string"}), depth)
            members[name] = self.value(others, depth + 1)
        return members

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", ())
        count = max(int(self._is_full(depth)), len(first), schema.get("minItems", 0))
        items = [*first, *([schema.get("items", True)] * count)][:count]
        return [self.value(item, depth + 1) for item in items]

    def _is_full(self, depth: int) -> bool:
        return self._full and depth <= _MAX_DEPTH


def _number(schema: Mapping[str, Any]) -> Any:
    return schema.get("minimum", schema.get("maximum", schema.get("exclusiveMinimum", 0) + schema.get("multipleOf", 1)))
