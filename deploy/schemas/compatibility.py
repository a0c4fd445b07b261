"""Whether one JSON Schema accepts every document that another accepts, for the schemas that pydantic makes of events.

What cannot be compared counts as rejected.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LOWER = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_UPPER = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_EQUAL = ("pattern", "format", "multipleOf", "uniqueItems")
_CHOICES = {"anyOf", "oneOf", "$ref"}
_BESIDE_CHOICES = {*_CHOICES, "default", "discriminator", "$defs"}
_COMPARED = {
    *("$ref", "$defs", "type", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "enum", "const"),
    *("default", "discriminator", "propertyNames", "prefixItems", *_LOWER, *_UPPER, *_EQUAL),
}


def incompatibilities(today: Schema, recorded: Schema) -> list[str]:
    """Returns why ``today`` does not accept everything that ``recorded`` accepts, each with its place; empty if it does."""
    return _Comparison(today.get("$defs", {}), recorded.get("$defs", {})).compare(today, recorded, "")


class _Comparison:
    def __init__(self, todays: Mapping[str, Schema], recorded: Mapping[str, Schema]) -> None:
        self._todays, self._recorded = todays, recorded
        self._found: dict[tuple[str, str], list[str]] = {}

    def compare(self, today: Schema | bool, recorded: Schema | bool, at: str) -> list[str]:
        pair = (str(today), str(recorded))
        if pair not in self._found:
            # A recursive schema accepts another if it does so one level further down.
            self._found[pair] = []
            self._found[pair] = list(self._compare(today, recorded, at))
        return self._found[pair]

    def _compare(self, today: Schema | bool, recorded: Schema | bool, at: str) -> Iterator[str]:
        if today is True or today == {}:
            return
        for schema in (today, recorded):
            if isinstance(schema, Mapping) and not _CHOICES.isdisjoint(schema) and (beside := set(schema) - _BESIDE_CHOICES):
                yield f"{at or 'the event'}: {', '.join(sorted(beside))} beside a choice or a reference cannot be compared"
                return
        for alternative in _alternatives(_resolved(recorded, self._recorded)):
            found = [
                list(self._compare_one(_resolved(choice, self._todays), _resolved(alternative, self._recorded), at))
                for choice in _alternatives(_resolved(today, self._todays))
            ]
            if all(found):
                yield from min(found, key=len)

    def _compare_one(self, today: Schema, recorded: Schema, at: str) -> Iterator[str]:
        if unknown := (set(today) | set(recorded)) - _COMPARED:
            yield f"{at or 'the event'}: {', '.join(sorted(unknown))} cannot be compared"
            return
        if not {"anyOf", "oneOf"}.isdisjoint((*today, *recorded)):
            yield from self.compare(today, recorded, at)
            return
        values = _values(recorded)
        if (allowed := _values(today)) is not None:
            gone = ["anything else"] if values is None else [repr(value) for value in values if value not in allowed]
            if gone:
                yield f"{at or 'the event'}: {', '.join(gone)} is not accepted any more"
            return
        if not _covers(today.get("type"), recorded.get("type")):
            yield f"{at or 'the event'}: was {recorded.get('type', 'anything')}, is {today.get('type')}"
            return
        yield from _narrowed(today, recorded, at)
        if today.get("type") == "object":
            yield from self._compare_objects(today, recorded, at)
        if today.get("type") == "array":
            yield from self._compare_arrays(today, recorded, at)

    def _compare_arrays(self, today: Schema, recorded: Schema, at: str) -> Iterator[str]:
        first, was_first = today.get("prefixItems", ()), recorded.get("prefixItems", ())
        rest, was_rest = today.get("items", True), recorded.get("items", True)
        for n in range(max(len(first), len(was_first))):
            was = was_first[n] if n < len(was_first) else was_rest
            yield from self.compare(first[n] if n < len(first) else rest, was, f"{at}[{n}]")
        if len(was_first) != recorded.get("maxItems"):
            yield from self.compare(rest, was_rest, f"{at}[]")

    def _compare_objects(self, today: Schema, recorded: Schema, at: str) -> Iterator[str]:
        known, was = today.get("properties", {}), recorded.get("properties", {})
        others, were_others = today.get("additionalProperties", True), recorded.get("additionalProperties", True)
        for name, schema in was.items():
            if name not in known and others is False:
                yield f"{at}.{name} is gone"
            else:
                yield from self.compare(known.get(name, others), schema, f"{at}.{name}")
        if were_others is not False:
            for name, schema in known.items():
                if name not in was:
                    yield from self.compare(schema, were_others, f"{at}.{name}")
        if "propertyNames" in today:
            yield from self.compare(today["propertyNames"], recorded.get("propertyNames", True), f"{at or 'the event'}, names")
        for name in today.get("required", ()):
            if name not in recorded.get("required", ()):
                yield f"{at}.{name} is required now"
        if were_others is not False:
            if others is False:
                yield f"{at or 'the event'}: further members are not accepted any more"
            else:
                yield from self.compare(others, were_others, f"{at}.*")


def _alternatives(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf", schema.get("oneOf", [schema])))


def _resolved(schema: Schema | bool, definitions: Mapping[str, Schema]) -> Schema:
    if isinstance(schema, bool):
        return {} if schema else {"enum": []}
    while "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _covers(today: str | None, recorded: str | None) -> bool:
    return today is None or today == recorded or (today, recorded) == ("number", "integer")


def _narrowed(today: Schema, recorded: Schema, at: str) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER, *_EQUAL):
        if key not in today or today[key] == recorded.get(key):
            continue
        known = recorded.get(key)
        if known is None or key in _EQUAL or (today[key] > known if key in _LOWER else today[key] < known):
            yield f"{at or 'the event'}: {key} is {today[key]!r}, was {'not there' if known is None else repr(known)}"
