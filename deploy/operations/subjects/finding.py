"""The search for what is held of a data subject: its key, and the events and rows with data that are encrypted for it."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

import orjson

from deploy.console.printing import counted
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Run
from projectors.discovery import installed
from schemas.access import Access
from schemas.sensitive import MARK, encrypted_fields
from schemas.system import ContextName
from schemas.values.text import Identifier
from streams.encryption.subject_keys import SubjectKeys
from streams.log.search import EventsWithText, SearchableLog


class Find(Parameters):
    """The data subject to look for."""

    subject: Identifier


@dataclass(frozen=True, slots=True)
class HeldRows:
    """Rows of one view with data of the subject."""

    view: str
    rows: int


async def find(run: Run, wanted: Find) -> Result:
    """Finds what is held of a data subject: its key, and the events and rows with data that are encrypted for it.

    Only a run that is applied is recorded. Raises `Unavailable`.
    """
    if run.is_applied:
        await run.begin()
    has_key = await SubjectKeys(run.settings, run.installation.within("caudal_writer").databases).has_key(wanted.subject)
    mark = f"{MARK}{wanted.subject}:"
    events = [one async for one in _events(run, mark)]
    rows = [one async for one in _rows(run, mark)]
    for context, held in events:
        until = "" if held.since.date() == held.until.date() else f" to {held.until:%Y-%m-%d}"
        positions = f"position {held.first}" if held.events == 1 else f"positions {held.first} to {held.last}"
        run.say(f"{context}: {counted(held.events, held.type)}, {positions}, {held.since:%Y-%m-%d}{until}.")
    for view in rows:
        run.say(f"{view.view}: {counted(view.rows, 'row')}.")
    total, shown = sum(held.events for _, held in events), sum(one.rows for one in rows)
    run.say(_conclusion(wanted.subject, total, shown, has_key=has_key), "plain" if has_key and total else "good")
    held_events = [{"context": str(context), **asdict(held)} for context, held in events]
    answer = {"has_key": has_key, "events": held_events, "rows": [asdict(one) for one in rows]}
    return Result(after={"has_key": has_key, "events": total, "rows": shown}, answer=answer)


def _conclusion(subject: str, events: int, rows: int, *, has_key: bool) -> str:
    if not events and not rows:
        return f"No event and no row has data of {subject}{'; it has a key' if has_key else ''}."
    held = f"{counted(events, 'event')} and {counted(rows, 'row')} have data of {subject}"
    return f"{held}, which can be read." if has_key else f"{held}, which nobody can read: its key is destroyed."


def _in_json(text: str) -> str:
    """Returns a text as it is inside a JSON document."""
    return orjson.dumps(text)[1:-1].decode()


async def _events(run: Run, mark: str) -> AsyncIterator[tuple[ContextName, EventsWithText]]:
    reader, text = run.installation.within("caudal_reader"), _in_json(mark)
    for name, context in run.installation.catalog.contexts.items():
        if not any(list(encrypted_fields(event)) for event in context.events):
            continue
        log = SearchableLog(reader.log_store(name), name)
        head, show = (await log.head()).position, run.progress_of(f"log {name}", "events")
        found: dict[str, EventsWithText] = {}
        async for up_to, part in log.with_text(text, head):
            show(up_to, head)
            for one in part:
                found[one.type] = one if one.type not in found else found[one.type].joined(one)
        for one in found.values():
            yield name, one


async def _rows(run: Run, mark: str) -> AsyncIterator[HeldRows]:
    reader, text = run.installation.within("caudal_reader"), _in_json(mark)
    for projection in installed(run.installation.catalog):
        if not list(encrypted_fields(projection.view)):
            continue
        store = reader.view_store(projection.home)
        sql = f"select count(*) from {store.schema}.{projection.view.view_name} r where strpos(to_jsonb(r)::text, $1) > 0"
        async with store.connection() as connection:
            rows = await connection.fetchval(sql, text)
        if rows:
            yield HeldRows(projection.full_name, rows)


FIND = Operation("subjects/find", Find, find, access=Access.to("privacy_officer"), is_reading=True)
