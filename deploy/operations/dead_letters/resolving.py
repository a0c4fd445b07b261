"""The resolution of dead letters: processing again, skipping, other data."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import orjson

from command_api.handling.validation import parse_json
from deploy.console.printing import confirmed, counted, lines, printable
from deploy.operations.dead_letters.selection import Filter, Found, selected, stores_of
from deploy.operations.subscriptions.installed import subscriptions
from schemas.catalog import Catalog
from schemas.errors import Invalid, Malformed, Rejected
from streams.discovery import installed_catalog
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter

_WAIT_SECONDS = 20.0
_MAX_DEPTH = 128
"""Deepest nesting of an event's data: that of a command, and what its decision puts around it."""


async def redrive(chosen: Filter, settings: Settings, *, apply: bool) -> int:
    """Has dead letters processed again, waits for the results and prints them; 1 if some still fail, or cannot be tried."""
    out = lines()
    async with subscriptions(settings) as every:
        matching = await selected(every, chosen)
        found = [(store, dead_letter) for store, dead_letter in matching if dead_letter.position is not None]
        if foreign := len(matching) - len(found):
            out.print(f"Not processed: {counted(foreign, 'record')} that are not events. `skip` discards them.")
        streams = {(dead_letter.subscription, dead_letter.context, dead_letter.stream) for _, dead_letter in found}
        out.print(
            f"{counted(len(found), 'dead letter')} of {counted(len(streams), 'stream')} will be processed again, in order."
        )
        if not confirmed(out, apply=apply):
            return 0
        for store in stores_of(found):
            await store.dead_letters.redrive([dead_letter for own, dead_letter in found if own is store])
        left = await _still_open(found)
    untried = sum(not dead_letter.attempts and dead_letter.state != "waiting" for dead_letter in left)
    out.print(f"Applied {len(found) - len(left)}, still open {len(left)}.")
    for dead_letter in left[:10]:
        out.print(
            f"{dead_letter.name}: {dead_letter.state}, {printable(dead_letter.error or 'waits behind another')}", markup=False
        )
    if untried:
        out.print(
            f"{untried} were not tried within {_WAIT_SECONDS:g} s: start the process that runs the subscription, or resume it "
            "if it is paused."
        )
    elif left:
        out.print("If you have fixed the code, restart the process that runs it, and redrive again.")
    return 1 if left or foreign else 0


async def skip(chosen: Filter, settings: Settings, *, apply: bool) -> None:
    """Skips dead letters for good, or prints how many it would skip; raises `Rejected` if nothing says which."""
    if not (chosen.names or chosen.subscription or chosen.stream):
        raise Rejected("say which dead letters to skip: by name, with --subscription or with --stream")
    out = lines()
    async with subscriptions(settings) as every:
        found = await selected(every, chosen)
        foreign = sum(dead_letter.position is None for _, dead_letter in found)
        for subscription, count in sorted(Counter(dead_letter.subscription for _, dead_letter in found).items()):
            out.print(f"{subscription}: {counted(count, 'dead letter')}")
        out.print(f"{counted(len(found) - foreign, 'event')} will be skipped for good. The log keeps all events.")
        if foreign:
            out.print(f"{counted(foreign, 'record')} that are not events will be discarded.")
        if confirmed(out, apply=apply):
            for store in stores_of(found):
                await store.dead_letters.skip([dead_letter for own, dead_letter in found if own is store])
            out.print("Done.")


async def edit(name: str, data: bytes, settings: Settings, *, apply: bool) -> None:
    """Replaces the data of an event for its subscription; raises `Invalid` if the installed code cannot read the new data."""
    catalog = installed_catalog(settings.systems)
    out = lines()
    async with subscriptions(settings) as every:
        ((store, dead_letter),) = await selected(every, Filter(names=(name,)))
        text = _readable(catalog, dead_letter, data)
        out.print(f"{name} will get other data: {text[:300]}", markup=False)
        if not confirmed(out, apply=apply):
            return
        await store.dead_letters.edit(dead_letter, text)
    out.print(f"{name} has other data now. Process it again with `caudal dead-letters redrive {name} --apply`.", markup=False)


def _readable(catalog: Catalog, dead_letter: DeadLetter, data: bytes) -> str:
    if dead_letter.position is None or dead_letter.type is None:
        raise Rejected(f"{dead_letter.name} is not an event: it can only be skipped")
    try:
        text = orjson.dumps(parse_json(data, _MAX_DEPTH)).decode()
    except Malformed as error:
        raise Malformed(f"the data is not JSON: {error.reasons}") from error
    except Invalid as error:
        raise Invalid(f"the data cannot be stored: {error.reasons}") from error
    try:
        catalog.read_event(dead_letter.context, dead_letter.type, dead_letter.stored_event().schema_version, text)
    except Exception as error:
        raise Invalid(f"the data cannot be read as {dead_letter.type}: {error}") from error
    return text


async def _still_open(found: Found) -> list[DeadLetter]:
    """Returns the dead letters that are still open when each was tried, or after a while."""
    names = {dead_letter.name for _, dead_letter in found}
    give_up = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while True:
        every = [dead_letter for store in stores_of(found) for dead_letter in await store.dead_letters.all()]
        still = [dead_letter for dead_letter in every if dead_letter.name in names]
        is_over = asyncio.get_running_loop().time() > give_up
        if is_over or all(_first_of_stream(dead_letter, every).attempts for dead_letter in still):
            return still
        await asyncio.sleep(0.2)


def _first_of_stream(dead_letter: DeadLetter, every: Sequence[DeadLetter]) -> DeadLetter:
    """Returns the dead letter of the same stream that is tried next; the others wait behind it."""
    stream = (dead_letter.subscription, dead_letter.context, dead_letter.stream)
    same = [one for one in every if (one.subscription, one.context, one.stream) == stream and one.position is not None]
    return min(same, key=lambda one: one.position or 0)
