"""Additions to the JSON Schema that pydantic derives of a type: keywords for its validators, and rules in words."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

RULES = "x-rules"
"""Keyword of the rules that no other keyword can state: texts with which the detail of a violation begins."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Marks a type, beside its validator: ``Annotated[str, AfterValidator(check), Stated({"pattern": "…"})]``."""

    keywords: dict[str, Any] = field(default_factory=dict, hash=False)  # a type in a union must be hashable
    rules: tuple[str, ...] = ()

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = narrowed(handler(schema), self.keywords)
        return {**found, RULES: [*found.get(RULES, ()), *self.rules]} if self.rules else found


def narrowed(schema: dict[str, Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """Returns the JSON Schema of a text with more keywords; of an optional text, they concern the text alone.

    Of two limits of its length the narrower one stays.
    """
    if "anyOf" not in schema:
        return _with(schema, keywords)
    return {**schema, "anyOf": [_with(one, keywords) if one.get("type") == "string" else one for one in schema["anyOf"]]}


def _with(schema: dict[str, Any], keywords: dict[str, Any]) -> dict[str, Any]:
    found = {**schema, **keywords}
    for name, narrower in (("minLength", max), ("maxLength", min)):
        if name in schema and name in keywords:
            found[name] = narrower(schema[name], keywords[name])
    return found
