"""Logs: their events by filters, one event with its causes and effects, and one stream with its states."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.console.printing import counted
from deploy.operations.reading import BODIES
from deploy.operations_page.rendering import pretty, shortened
from deploy.operations_page.screen import Asked, Screen, Shown
from query_api.audit.causation import Cause, causation_of
from query_api.audit.history import Selection, page_of, place
from query_api.audit.time_travel import TimeTravel
from schemas.errors import Invalid, NotFound
from schemas.system import ENGINE, ContextName
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata

_EVENTS = 50
_SHOWN = 120
"""Characters of an event's data in a list."""


async def show(asked: Asked) -> Shown:
    """Shows the newest events of a log, or those that a filter chooses, the oldest first."""
    contexts = [str(context) for context in asked.installation.catalog.contexts]
    name = asked.query.get("log") or await _busiest(asked)
    log = _log(asked, name)
    head = (await log.head()).position
    given = {key: asked.query.get(key, "").strip() for key in ("type", "stream", "correlation_id", "from", "to", "after")}
    types = (given["type"],) if given["type"] else None
    conditions = Conditions(given["stream"] or None, types, given["correlation_id"] or None)
    begin = place(given["from"], "from") if given["from"] else None
    is_filtered = bool(types or given["stream"] or given["correlation_id"] or begin)
    selection = Selection(conditions, begin, place(given["to"], "to") if given["to"] else None)
    after = _whole(given["after"]) if given["after"] else (0 if is_filtered else max(0, head - _EVENTS))
    rows, further = await page_of(log, selection, after, _EVENTS)
    shown = [_event(row) for row in rows]
    events = [event.message_name for event in asked.installation.catalog.context(log.context).events]
    values = {
        "contexts": contexts,
        "log": name,
        "types": events,
        "given": given,
        "events": shown if is_filtered or given["after"] else shown[::-1],
        "next": further,
        "head": head,
        "is_filtered": is_filtered,
    }
    if not head:
        return Shown(f"The log of {name} has no events.", "plain", values)
    which = f"{len(shown)} that match" if is_filtered else f"the newest {len(shown)}"
    return Shown(f"{counted(head, 'event')} in the log of {name}; {which} are shown.", "plain", values)


async def show_event(asked: Asked) -> Shown:
    """Shows one event, with the tree of its causes and effects."""
    name, position = asked.path["log"], _whole(asked.path["position"])
    log = _log(asked, name)
    rows = await log.read(position - 1, 1)
    if not rows or rows[0].position != position:
        raise NotFound(f"the log of {name} has no position {position}")
    catalog = asked.installation.catalog
    logs = SearchableLog.of_contexts(asked.installation.within("caudal_reader"), catalog.related(log.context.system))
    tree = await causation_of(logs, log.context, position)
    row, metadata = rows[0], decode_metadata(rows[0].metadata)
    values = {
        "log": name,
        "event": _event(row),
        "data": pretty(row.data),
        "metadata": pretty(row.metadata),
        "tree_nodes": [_node(cause) for cause in tree.roots],
        "is_whole": tree.is_whole,
        "command_id": str(metadata.command_id),
        "correlation_id": metadata.correlation_id,
    }
    by = f" by {metadata.actor}" if metadata.actor else ""
    said = f"{row.type} was recorded{by}, because of the command {metadata.command or str(metadata.command_id)}."
    return Shown(said, "plain", values, title=f"{name} {position}")


async def show_stream(asked: Asked) -> Shown:
    """Shows a stream: its events, and its state at a version with what that version changed."""
    name, stream = asked.path["log"], asked.path["stream"]
    log = _log(asked, name)
    versions = await log.version(stream)
    if not versions:
        raise NotFound(f"there is no stream {stream!r} in {name}")
    version = min(max(1, _whole(asked.query.get("version") or str(versions))), versions)
    rows = await log.read_stream(stream, max(0, version - _EVENTS // 2), _EVENTS)
    travel = TimeTravel(asked.installation.catalog, asked.processes)
    caller = asked.caller.subject
    state: str | None = None
    changes: Sequence[Mapping[str, Any]] = ()
    try:
        state = pretty((await travel.state(log, stream, caller, version=version)).state)
        changes = (await travel.difference(log, stream, caller, version - 1, version))["patch"]
    except NotFound:  # a category without a state
        pass
    values = {
        "log": name,
        "stream": stream,
        "versions": versions,
        "version": version,
        "events": [{**_event(row), "data": pretty(row.data)} for row in rows],
        "state": state,
        "changes": [{**change, "value": pretty(change.get("value"))} for change in changes],
    }
    return Shown(f"{counted(versions, 'event')}; the state after version {version}.", "plain", values, title=stream)


async def _busiest(asked: Asked) -> str:
    """Returns the context whose log has most events, but for the engine's own if others have any."""
    contexts = list(asked.installation.catalog.contexts)
    heads = await asyncio.gather(*(_log(asked, str(context)).head() for context in contexts))
    found = zip(contexts, heads, strict=True)
    return str(max(found, key=lambda one: (one[0].system != ENGINE and one[1].position > 0, one[1].position))[0])


def _log(asked: Asked, name: str) -> SearchableLog:
    context = ContextName.parse(name)
    asked.installation.catalog.context(context)
    return SearchableLog(asked.installation.within("caudal_reader").log_store(context), context)


def _event(row: StoredEvent) -> Mapping[str, Any]:
    metadata = decode_metadata(row.metadata)
    data = row.data if isinstance(row.data, str) else row.data.decode()
    return {
        "position": row.position,
        "type": row.type,
        "stream": row.stream,
        "version": row.version,
        "recorded_at": row.recorded_at,
        "actor": metadata.actor,
        "command": metadata.command,
        "correlation_id": metadata.correlation_id,
        "data": shortened(data, _SHOWN),
    }


def _node(cause: Cause) -> Mapping[str, Any]:
    return {"log": str(cause.context), **_event(cause.row), "effects": [_node(effect) for effect in cause.effects]}


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(f"{text!r} is no whole number")
    return int(text)


SCREENS = (
    Screen("/log", "log", "Log", "What happened?", show, BODIES),
    Screen("/log/{log}/{position}", "event", "Event", "Why did this happen?", show_event, BODIES, in_menu=False, is_live=False),
    Screen(
        "/streams/{log}/{stream:path}",
        "stream",
        "Stream",
        "How did it become what it is?",
        show_stream,
        BODIES,
        in_menu=False,
        is_live=False,
    ),
)
