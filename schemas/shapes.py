"""Recorded shapes: the JSON Schema of each event at each schema version, kept in files, held against today's classes.

What the log holds was written by the classes of its day. A recorded shape says what those accepted; today's class must accept
all of it, or be of a new schema version with an upcaster from the old one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.catalog import Catalog, Context, ContextName
from schemas.errors import CaudalError
from schemas.message import Event
from schemas.samples import sample
from schemas.subsumption import refusals

_TEXTS = ("title", "description", "examples")


def shape_of(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event, without what is only said to readers."""
    shape: dict[str, Any] = _bare(event.model_json_schema())
    return shape


def problems(folder: Path, name: ContextName, context: Context, catalog: Catalog) -> Iterator[str]:
    """What keeps today's classes of a context from reading every event that may have been recorded, a sentence each."""
    classes = {event.message_name: event for event in context.events}
    for event in classes.values():
        path = file_of(folder, name, event)
        if not path.exists():
            yield f"{event.message_name} of {name}, schema version {event.schema_version}, is not recorded yet"
            continue
        for why in refusals(shape_of(event), json.loads(path.read_text())):
            yield (
                f"{event.message_name} of {name} does not accept what is recorded as its schema version "
                f"{event.schema_version}: {why}; raise schema_version and add an upcaster"
            )
    for path in sorted(folder.glob(f"{name.context}.*.json")):
        event_name, version = path.stem.removeprefix(f"{name.context}.").rsplit(".v", 1)
        if event_name not in classes:
            yield f"the log of {name} may hold {event_name}, which no class reads"
        elif int(version) < classes[event_name].schema_version:
            yield from _upcasting_problems(catalog, name, event_name, int(version), json.loads(path.read_text()))


def record(folder: Path, name: ContextName, context: Context) -> Iterator[Path]:
    """Writes the shapes that are not recorded yet, or that have only become wider; yields the files written."""
    for event in context.events:
        path, shape = file_of(folder, name, event), shape_of(event)
        if path.exists() and (json.loads(path.read_text()) == shape or refusals(shape, json.loads(path.read_text()))):
            continue
        folder.mkdir(exist_ok=True)
        path.write_text(json.dumps(shape, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        yield path


def file_of(folder: Path, name: ContextName, event: type[Event]) -> Path:
    """Where the shape of an event is kept."""
    return folder / f"{name.context}.{event.message_name}.v{event.schema_version}.json"


def _upcasting_problems(catalog: Catalog, name: ContextName, event: str, version: int, shape: dict[str, Any]) -> Iterator[str]:
    for full in (False, True):
        document = json.dumps(sample(shape, full=full))
        try:
            catalog.read_event(name, event, version, document)
        except CaudalError as error:
            yield f"an event of an earlier version does not survive its upcasters: {error.detail} (the event: {document})"
            return


def _bare(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_bare(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    bare = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            bare[key] = {inner: _bare(described) for inner, described in value.items()}
        elif key not in _TEXTS:
            bare[key] = _bare(value)
    return bare
