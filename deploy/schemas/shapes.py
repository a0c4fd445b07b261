"""Recorded shapes: files with the JSON Schema of each event at each schema version, compared with the installed classes.

An event in the log was written by the class of its time. The recorded shape says what that class accepted: the installed class
must accept all of it, or have a new schema version with an upcaster from the old one.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploy.schemas.compatibility import incompatibilities
from deploy.schemas.samples import sample
from schemas.catalog import Catalog
from schemas.errors import CaudalError, Misconfigured
from schemas.message import Event
from schemas.system import Context, ContextName, stored_names

_TEXTS = ("title", "description", "examples", "x-encrypted")


def shape_of(event: type[Event]) -> dict[str, Any]:
    """Returns the JSON Schema of an event, without titles, descriptions and examples."""
    shape: dict[str, Any] = _bare(event.model_json_schema())
    return shape


def problems(
    folder: Path, name: ContextName, context: Context, catalog: Catalog, is_document: Callable[[dict[str, Any], Any], bool]
) -> Iterator[str]:
    """Yields a sentence for each recorded shape that the installed classes of a context cannot read.

    Samples of each shape are read with the installed classes. ``is_document`` says whether a sample is valid: for some schemas
    (with a pattern) no sample can be made.
    """
    classes = {stored: event for event in context.events for stored in stored_names(event)}
    recorded = _recorded(folder, name)
    for event in context.events:
        for version in range(1, event.schema_version + 1):
            if not any((stored, version) in recorded for stored in stored_names(event)):
                yield f"{event.message_name} of {name}, schema version {version}, is not recorded: run `caudal schemas record`"
    for (event_name, version), shape in recorded.items():
        if event_name not in classes:
            yield (
                f"the log of {name} may hold {event_name}, which no installed class reads: name it in renamed_from of the "
                "renamed class, or keep the class of an event that is not recorded any more, with retired=True"
            )
        elif version > (today := classes[event_name].schema_version):
            yield f"the log of {name} may hold schema version {version} of {event_name}, the installed class has {today}"
        else:
            found = incompatibilities(shape_of(classes[event_name]), shape) if version == today else []
            for why in found:
                yield (
                    f"{event_name} of {name} does not accept its recorded schema version {version}: {why}; "
                    "raise schema_version and add an upcaster"
                )
            if not found:
                yield from _reading_problems(catalog, name, event_name, version, shape, is_document)


def _recorded(folder: Path, name: ContextName) -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for path in sorted(folder.glob(f"{name.context}.*.json")):
        event, _, version = path.stem.removeprefix(f"{name.context}.").rpartition(".v")
        if not (event and version.isdecimal()):
            raise Misconfigured(f"{path} is not a recorded shape, which is called {name.context}.EVENT.vNUMBER.json: remove it")
        found[event, int(version)] = json.loads(path.read_text())
    return found


def record(folder: Path, name: ContextName, context: Context) -> Iterator[Path]:
    """Writes the shapes that are not recorded yet, or that accept more than before; yields the files written."""
    for event in context.events:
        path, shape = file_of(folder, name, event), shape_of(event)
        if not path.exists() and _recorded_before(folder, name, event):
            continue
        if path.exists() and (json.loads(path.read_text()) == shape or incompatibilities(shape, json.loads(path.read_text()))):
            continue
        folder.mkdir(exist_ok=True)
        path.write_text(json.dumps(shape, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        yield path


def _recorded_before(folder: Path, name: ContextName, event: type[Event]) -> bool:
    """Returns whether today's schema version of a renamed event is recorded under an earlier name."""
    version = event.schema_version
    return any((folder / f"{name.context}.{stored}.v{version}.json").exists() for stored in event.renamed_from)


def file_of(folder: Path, name: ContextName, event: type[Event]) -> Path:
    """Returns the file of an event's shape."""
    return folder / f"{name.context}.{event.message_name}.v{event.schema_version}.json"


def _reading_problems(
    catalog: Catalog,
    name: ContextName,
    event: str,
    version: int,
    shape: dict[str, Any],
    is_document: Callable[[dict[str, Any], Any], bool],
) -> Iterator[str]:
    for full in (False, True):
        document = sample(shape, full=full)
        if not is_document(shape, document):
            continue
        try:
            catalog.read_event(name, event, version, json.dumps(document))
        except CaudalError as error:
            yield f"a recorded event could not be read: {error.detail} (such as {json.dumps(document)})"
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
