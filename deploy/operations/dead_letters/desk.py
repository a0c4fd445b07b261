"""What an operator does with dead letters: looks at them, mends them, tries them again, leaves them out."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console

from deploy.console.connection import connected
from deploy.console.printing import counted
from deploy.operations.subscriptions.installed import InstalledSubscription, named, subscriptions
from schemas.catalog import Catalog
from schemas.errors import Invalid, Malformed, NotFound, Rejected
from streams.settings import Settings
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.store import SubscriptionStore

_WAIT_SECONDS = 20.0
Found = list[tuple[SubscriptionStore, DeadLetter]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which dead letters are meant."""

    names: Sequence[str] = ()
    subscription: str | None = None
    stream: str | None = None
    decided: bool = False
    """Those too that were skipped or repaired."""


async def list_dead_letter(chosen: Chosen, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints the dead letters, the first of each stream before those that wait behind it."""
    async with subscriptions(connected(settings, data_dir)) as every:
        dead_letters = [dead_letter for _, dead_letter in await _chosen(every, chosen)]
    if as_json:
        sys.stdout.write(orjson.dumps([_as_json(dead_letter) for dead_letter in dead_letters]).decode() + "\n")
        return
    console = _console()
    for dead_letter in dead_letters:
        what = f"{dead_letter.type} of {dead_letter.stream}" if dead_letter.stream else "a record that is no event of the log's"
        since = (
            f"{dead_letter.state} since {dead_letter.parked_at:%Y-%m-%d %H:%M:%S}, {counted(dead_letter.attempts, 'attempt')}"
        )
        console.print(dead_letter.name, style="bold", markup=False)  # alone in its line, to be copied
        console.print(f"  {what}, {since}: {(dead_letter.error or 'waits behind another of its stream')[:300]}", markup=False)
    states = ", ".join(
        f"{count} {state}" for state, count in sorted(Counter(dead_letter.state for dead_letter in dead_letters).items())
    )
    console.print(f"{counted(len(dead_letters), 'dead letter')}{f': {states}' if dead_letters else ''}")


async def show_dead_letter(name: str, data_dir: Path, settings: Settings) -> None:
    """Prints one as JSON: the record as it came, why it is here, and what became of it."""
    async with subscriptions(connected(settings, data_dir)) as every:
        ((_, dead_letter),) = await _chosen(every, Chosen(names=(name,), decided=True))
    Console(highlight=False).print_json(orjson.dumps(_as_json(dead_letter)).decode())


async def redrive(chosen: Chosen, data_dir: Path, settings: Settings, *, apply: bool) -> int:
    """Lets dead letters be tried at once and waits for what comes of it; 1 where some are left, or cannot be tried."""
    console = _console()
    async with subscriptions(connected(settings, data_dir)) as every:
        chosen_ones = await _chosen(every, chosen)
        found = [(store, dead_letter) for store, dead_letter in chosen_ones if dead_letter.position is not None]
        if strange := len(chosen_ones) - len(found):
            console.print(f"{counted(strange, 'strange record')} cannot be tried, nothing waits behind: `skip` puts it aside.")
        streams = {(dead_letter.subscription, dead_letter.context, dead_letter.stream) for _, dead_letter in found}
        those = f"{counted(len(found), 'dead letter')} of {counted(len(streams), 'stream')}"
        console.print(f"To be tried again, each stream from its first on: {those}.")
        if not _goes_on(console, apply=apply):
            return 0
        for store in _stores(found):
            await store.dead_letters.redrive([dead_letter for own, dead_letter in found if own is store])
        left = await _left(found)
    console.print(f"Dealt with: {len(found) - len(left)}. Left: {len(left)}.")
    for dead_letter in left[:10]:
        console.print(f"{dead_letter.name}: {dead_letter.state}, {dead_letter.error or 'waits behind another'}", markup=False)
    return 1 if left or strange else 0


async def skip(chosen: Chosen, data_dir: Path, settings: Settings, *, apply: bool) -> None:
    """Leaves dead letters out for good, or says how many it would; raises `Rejected` where nothing says which."""
    if not (chosen.names or chosen.subscription or chosen.stream):
        raise Rejected("say which ones: by name, --subscription or --stream")
    console = _console()
    async with subscriptions(connected(settings, data_dir)) as every:
        found = await _chosen(every, chosen)
        strange = sum(dead_letter.position is None for _, dead_letter in found)
        for subscription, count in sorted(Counter(dead_letter.subscription for _, dead_letter in found).items()):
            console.print(f"{subscription}: {counted(count, 'dead letter')}")
        console.print(f"To be left out for good: {counted(len(found) - strange, 'event')}, which the log keeps.")
        if strange:
            console.print(f"To be put aside: {counted(strange, 'strange record')}.")
        if _goes_on(console, apply=apply):
            for store in _stores(found):
                await store.dead_letters.skip([dead_letter for own, dead_letter in found if own is store])
            console.print("Done.")


async def edit(name: str, data: bytes, data_dir: Path, settings: Settings) -> None:
    """Puts other data in the place of an event's; raises `Invalid` where no installed code could read it."""
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    async with subscriptions(settings) as every:
        ((store, dead_letter),) = await _chosen(every, Chosen(names=(name,)))
        if dead_letter.position is None or dead_letter.type is None:
            raise Rejected(f"{name} is no event of the log's: it can only be skipped")
        try:
            text = orjson.dumps(orjson.loads(data)).decode()
        except orjson.JSONDecodeError as error:
            raise Malformed(f"the data is not JSON: {error}") from error
        try:
            catalog.read_event(dead_letter.context, dead_letter.type, dead_letter.stored_event().schema_version, text)
        except Exception as error:
            raise Invalid(f"the data cannot be read: {error}") from error
        await store.dead_letters.edit(dead_letter, text)
    _console().print(f"{name} has other data now; `caudal dead-letters redrive {name} --apply` tries it.")


async def _chosen(every: Sequence[InstalledSubscription], chosen: Chosen) -> Found:
    wanted = every if chosen.subscription is None else [named(every, chosen.subscription)]
    found = [
        (store, dead_letter)
        for one in wanted
        for store in one.stores
        for dead_letter in await store.dead_letters.all(with_resolved=chosen.decided)
        if chosen.stream in (None, dead_letter.stream)
    ]
    if not chosen.names:
        return found
    if unknown := set(chosen.names) - {dead_letter.name for _, dead_letter in found}:
        raise NotFound(f"there is no dead letter {', '.join(sorted(unknown))}; `caudal dead-letters list` shows them")
    return [(store, dead_letter) for store, dead_letter in found if dead_letter.name in chosen.names]


async def _left(found: Found) -> list[DeadLetter]:
    """Those that are open still once each was tried, or after a while."""
    names = {dead_letter.name for _, dead_letter in found}
    give_up = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while True:
        now = [
            dead_letter
            for store in _stores(found)
            for dead_letter in await store.dead_letters.all()
            if dead_letter.name in names
        ]
        if (
            all(dead_letter.attempts or dead_letter.state == "waiting" for dead_letter in now)
            or asyncio.get_running_loop().time() > give_up
        ):
            return now
        await asyncio.sleep(0.2)


def _stores(found: Found) -> list[SubscriptionStore]:
    return list({id(store): store for store, _ in found}.values())


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _goes_on(console: Console, *, apply: bool) -> bool:
    if not apply:
        console.print("Nothing was done: --apply does it.")
    return apply


def _as_json(dead_letter: DeadLetter) -> dict[str, object]:
    return {
        "name": dead_letter.name,
        "subscription": dead_letter.subscription,
        "context": str(dead_letter.context),
        "origin": dead_letter.origin,
        "position": dead_letter.position,
        "stream": dead_letter.stream,
        "type": dead_letter.type,
        "state": dead_letter.state,
        "error": dead_letter.error,
        "traceback": None if dead_letter.traceback is None else dead_letter.traceback.splitlines(),
        "attempts": dead_letter.attempts,
        "parked_at": dead_letter.parked_at,
        "due_at": dead_letter.due_at if dead_letter.state == "retrying" else None,
        "key": _text(dead_letter.key),
        "headers": {name: _text(value) for name, value in dead_letter.headers},
        "value": _text(dead_letter.value),
        "edited": dead_letter.edited,
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
