"""The JSON Schemas of pydantic classes for one document, each under a name of its own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from streams.http.examples import add_examples

SCHEMAS = "#/components/schemas/"
"""The place of schemas in OpenAPI and AsyncAPI documents."""


def model_schemas(models: Iterable[type[BaseModel]]) -> tuple[Mapping[type[BaseModel], Any], dict[str, Any]]:
    """Returns a reference to the schema of each class, and the schemas by name, with examples.

    Two classes of one name get those of their systems before it: programs that generate code want names without underlines.
    """
    ordered = sorted(set(models), key=lambda model: (model.__module__, model.__qualname__))
    references, made = models_json_schema([(model, "validation") for model in ordered], ref_template=f"{SCHEMAS}{{model}}")
    schemas: dict[str, Any] = made.get("$defs", {})
    names = _names(schemas)
    renamed = {names[name]: _renamed(schema, names) for name, schema in schemas.items()}
    for name in set(names.values()) - schemas.keys():
        renamed[name]["title"] = name
    add_examples(renamed)
    return {model: _renamed(references[model, "validation"], names) for model in ordered}, renamed


def _names(schemas: Iterable[str]) -> Mapping[str, str]:
    """Returns the new name of each schema: the shortest that is unique."""
    names = {name: name for name in schemas if "__" not in name}
    for name in sorted(set(schemas) - names.keys()):
        names[name] = next(short for short in (*_shorter(name), name) if short not in names.values())
    return names


def _shorter(name: str) -> Iterator[str]:
    """Yields ``ShopOrders``, then ``ShopViewsOrders``, for pydantic's ``schemas__shop__views__Orders``."""
    _, *modules, last = name.split("__")
    words = ["".join(word.capitalize() for word in module.split("_")) for module in modules]
    yield "".join(words[:1]) + last
    yield "".join(words) + last


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Returns JSON values whose references have the new names."""
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: SCHEMAS + names[inner.removeprefix(SCHEMAS)]
        if name == "$ref" and isinstance(inner, str) and inner.removeprefix(SCHEMAS) in names
        else _renamed(inner, names)
        for name, inner in value.items()
    }
