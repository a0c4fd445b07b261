"""The history of a view's row: the events that made it, each with the row after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.operations.installation import OpenInstallation
from deploy.operations.installed_subscriptions import named
from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.system import ContextName
from schemas.view import View
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode
from streams.subscriptions.dead_letters import Resolutions, resolved

MAX_POSITIONS = 100_000
"""The most positions of each log that are searched, from its beginning."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and what the row is after it."""

    context: ContextName
    event: StoredEvent
    changed: Mapping[str, Any]
    """The fields that have another value, with the new one."""
    is_deleted: bool
    """Whether the row is gone after it."""


@dataclass(frozen=True, slots=True)
class RowHistory:
    """The steps of a row."""

    steps: Sequence[Step]
    is_whole: bool
    """Whether each log was searched to its end."""


async def history_of_row(installation: OpenInstallation, projection: Projection[Any], key: str) -> RowHistory:
    """Returns the events that made the row with a key, in the order of their times, and what each changed.

    Events of different logs may have been applied in another order; a projection gives the same row all the same. Dead letters
    are left out, and edited ones have their new data.
    """
    found: list[tuple[ContextName, StoredEvent, RecordedEvent[Any]]] = []
    is_whole = True
    reader, catalog = installation.within("caudal_reader"), installation.catalog
    resolutions = await _resolutions(installation, projection)
    types: dict[ContextName, list[str]] = {}
    for context, name in catalog.event_types(projection.events):
        types.setdefault(context, []).append(name)
    for context, names in types.items():
        log = SearchableLog(reader.log_store(context), context)
        head = (await log.head()).position
        is_whole = is_whole and head <= MAX_POSITIONS
        async for part in log.search(Conditions(types=tuple(names)), 0, min(head, MAX_POSITIONS)):
            for row in resolved(resolutions, context, part.rows):
                # A key that is a field is in the data: most events need not be decoded.
                if projection.key is not None or key.encode() in _bytes(row.data):
                    event = decode(row, context, catalog)
                    if str(projection.key_of(event)) == key:
                        found.append((context, row, event))
    found.sort(key=lambda one: (one[1].recorded_at, one[1].position))
    return RowHistory(list(_steps(projection, found)), is_whole)


async def _resolutions(installation: OpenInstallation, projection: Projection[Any]) -> Resolutions:
    """Returns how operators have resolved dead letters of the view; open ones are left out."""
    (store,) = named(installation.subscriptions, projection.full_name).stores
    async with store.connection() as connection:
        return await store.dead_letters.resolutions(connection, with_open=True)


def _steps(projection: Projection[Any], found: Sequence[tuple[ContextName, StoredEvent, RecordedEvent[Any]]]) -> Sequence[Step]:
    steps = []
    row: View | None = None
    for context, stored, event in found:
        before = projection.new_row(projection.key_of(event)) if row is None else row
        old = before.model_dump(mode="json")
        row = projection.apply(before, event)
        new = {} if row is None else row.model_dump(mode="json")
        changed = {name: value for name, value in new.items() if old.get(name) != value}
        steps.append(Step(context, stored, changed, is_deleted=row is None))
    return steps


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data
