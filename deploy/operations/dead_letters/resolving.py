"""The resolution of dead letters: processing again, skipping, other data."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import orjson
from pydantic import Field

from command_api.handling.validation import parse_json
from deploy.console.printing import counted, printable
from deploy.operations.dead_letters.selection import Filter, Found, selected, stores_of
from deploy.operations.operation import Operation
from deploy.operations.run import Facts, Parameters, Result, Run, Show
from schemas.catalog import Catalog
from schemas.errors import Invalid, Malformed, Rejected
from streams.subscriptions.dead_letters import DeadLetter

_WAIT_SECONDS = 20.0
_MAX_DEPTH = 128
"""Deepest nesting of an event's data: that of a command, and what its decision puts around it."""
_MAX_RECORDED = 100
"""The most names of dead letters in the record of an operation; their number is always recorded."""


class Edit(Parameters):
    """A dead letter and the data that its event gets for its subscription."""

    name: str
    data: str = Field(description="The event's data: a JSON text.")


async def redrive(run: Run, chosen: Filter) -> Result:
    """Processes dead letters again, those of a stream in order, and waits for the results."""
    matching = await selected(run.installation.subscriptions, chosen)
    found = [(store, dead_letter) for store, dead_letter in matching if dead_letter.position is not None]
    if foreign := len(matching) - len(found):
        run.say(f"Not processed: {counted(foreign, 'record')} that are not events. `skip` discards them.", "warning")
    streams = {(dead_letter.subscription, dead_letter.context, dead_letter.stream) for _, dead_letter in found}
    run.say(f"{counted(len(found), 'dead letter')} of {counted(len(streams), 'stream')} will be processed again, in order.")
    if not await run.begin(_recorded(found)):
        return Result(after={"count": len(found), "streams": len(streams)})
    for store in stores_of(found):
        await store.dead_letters.redrive([dead_letter for own, dead_letter in found if own is store])
    left = await _still_open(found, run.progress_of("redrive", "dead letters"))
    untried = sum(not dead_letter.attempts and dead_letter.state != "waiting" for dead_letter in left)
    run.say(f"Applied {len(found) - len(left)}, still open {len(left)}.", "warning" if left else "good")
    for dead_letter in left[:10]:
        run.say(f"{dead_letter.name}: {dead_letter.state}, {printable(dead_letter.error or 'waits behind another')}", "bad")
    if untried:
        run.say(
            f"{untried} were not tried within {_WAIT_SECONDS:g} s: start the process that runs the subscription, or resume it "
            "if it is paused."
        )
    elif left:
        run.say("If you have fixed the code, restart the process that runs it, and redrive again.")
    remaining = [f"{counted(len(left), 'dead letter')} still open"] if left else []
    remaining += [f"{counted(foreign, 'record')} that are not events"] if foreign else []
    return Result(", ".join(remaining) or None, {"applied": len(found) - len(left), "open": len(left)})


async def skip(run: Run, chosen: Filter) -> Result:
    """Skips dead letters for good; those that wait behind them are processed at once. The log keeps the events."""
    if not (chosen.names or chosen.subscription or chosen.stream):
        raise Rejected("say which dead letters to skip: by name, with --subscription or with --stream")
    found = await selected(run.installation.subscriptions, chosen)
    foreign = sum(dead_letter.position is None for _, dead_letter in found)
    for subscription, count in sorted(Counter(dead_letter.subscription for _, dead_letter in found).items()):
        run.say(f"{subscription}: {counted(count, 'dead letter')}")
    run.say(f"{counted(len(found) - foreign, 'event')} will be skipped for good. The log keeps all events.")
    if foreign:
        run.say(f"{counted(foreign, 'record')} that are not events will be discarded.")
    if await run.begin(_recorded(found)):
        for store in stores_of(found):
            await store.dead_letters.skip([dead_letter for own, dead_letter in found if own is store])
        run.say("Done.")
    return Result(after={"skipped": len(found) - foreign, "discarded": foreign})


async def edit(run: Run, wanted: Edit) -> Result:
    """Replaces an event's data for its subscription alone; the log keeps the original.

    Raises `Invalid` if the installed code cannot read the new data.
    """
    ((store, dead_letter),) = await selected(run.installation.subscriptions, Filter(names=(wanted.name,)))
    text = _readable(run.installation.catalog, dead_letter, wanted.data.encode())
    run.say(f"{wanted.name} will get other data: {counted(len(text.encode()), 'byte')} that the installed code can read.")
    if await run.begin({"sha256": _digest(dead_letter.value or b"")}):
        await store.dead_letters.edit(dead_letter, text)
        run.say(f"{wanted.name} has other data now. Process it again with `caudal dead-letters redrive {wanted.name} --apply`.")
    return Result(after={"sha256": _digest(text.encode())})


def _recorded(found: Found) -> Facts:
    return {"count": len(found), "names": [dead_letter.name for _, dead_letter in found[:_MAX_RECORDED]]}


def _without_data(wanted: Edit) -> Facts:
    """Returns the record of an edit: the data may be personal, and the record is for good."""
    return {"name": wanted.name, "sha256": _digest(wanted.data.encode())}


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


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


async def _still_open(found: Found, show: Show) -> list[DeadLetter]:
    """Returns the dead letters that are still open when each was tried, or after a while."""
    names = {dead_letter.name for _, dead_letter in found}
    give_up = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while True:
        every = [dead_letter for store in stores_of(found) for dead_letter in await store.dead_letters.all()]
        still = [dead_letter for dead_letter in every if dead_letter.name in names]
        show(len(found) - len(still), len(found))
        is_over = asyncio.get_running_loop().time() > give_up
        if is_over or all(_first_of_stream(dead_letter, every).attempts for dead_letter in still):
            return still
        await asyncio.sleep(0.2)


def _first_of_stream(dead_letter: DeadLetter, every: Sequence[DeadLetter]) -> DeadLetter:
    """Returns the dead letter of the same stream that is tried next; the others wait behind it."""
    stream = (dead_letter.subscription, dead_letter.context, dead_letter.stream)
    same = [one for one in every if (one.subscription, one.context, one.stream) == stream and one.position is not None]
    return min(same, key=lambda one: one.position or 0)


REDRIVE = Operation("dead-letters/redrive", Filter, redrive)
SKIP = Operation("dead-letters/skip", Filter, skip)
EDIT = Operation("dead-letters/edit", Edit, edit, recorded=_without_data)
