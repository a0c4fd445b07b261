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
from schemas.errors import Invalid, Malformed, NotFound, Refused
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
    """Those too that were skipped or mended."""


async def list_letters(chosen: Chosen, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints the dead letters, the first of each stream before those that wait behind it."""
    async with subscriptions(connected(settings, data_dir)) as every:
        letters = [letter for _, letter in await _chosen(every, chosen)]
    if as_json:
        sys.stdout.write(orjson.dumps([_as_json(letter) for letter in letters]).decode() + "\n")
        return
    console = _console()
    for letter in letters:
        what = f"{letter.type} of {letter.stream}" if letter.stream else "a record that is no event of the log's"
        since = f"{letter.state} since {letter.parked_at:%Y-%m-%d %H:%M:%S}, {counted(letter.attempts, 'attempt')}"
        console.print(letter.name, style="bold", markup=False)  # alone in its line, to be copied
        console.print(f"  {what}, {since}: {(letter.error or 'waits behind another of its stream')[:300]}", markup=False)
    states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(letter.state for letter in letters).items()))
    console.print(f"{counted(len(letters), 'dead letter')}{f': {states}' if letters else ''}")


async def show_letter(name: str, data_dir: Path, settings: Settings) -> None:
    """Prints one as JSON: the record as it came, why it is here, and what became of it."""
    async with subscriptions(connected(settings, data_dir)) as every:
        ((_, letter),) = await _chosen(every, Chosen(names=(name,), decided=True))
    Console(highlight=False).print_json(orjson.dumps(_as_json(letter)).decode())


async def redrive(chosen: Chosen, data_dir: Path, settings: Settings, *, apply: bool) -> int:
    """Lets dead letters be tried at once and waits for what comes of it; 1 where some are left, or cannot be tried."""
    console = _console()
    async with subscriptions(connected(settings, data_dir)) as every:
        chosen_ones = await _chosen(every, chosen)
        found = [(store, letter) for store, letter in chosen_ones if letter.position is not None]
        if strange := len(chosen_ones) - len(found):
            console.print(f"{counted(strange, 'strange record')} cannot be tried, nothing waits behind: `skip` puts it aside.")
        streams = {(letter.subscription, letter.context, letter.stream) for _, letter in found}
        those = f"{counted(len(found), 'dead letter')} of {counted(len(streams), 'stream')}"
        console.print(f"To be tried again, each stream from its first on: {those}.")
        if not _goes_on(console, apply=apply):
            return 0
        for store in _stores(found):
            await store.letters.redrive([letter for own, letter in found if own is store])
        left = await _left(found)
    console.print(f"Dealt with: {len(found) - len(left)}. Left: {len(left)}.")
    for letter in left[:10]:
        console.print(f"{letter.name}: {letter.state}, {letter.error or 'waits behind another'}", markup=False)
    return 1 if left or strange else 0


async def skip(chosen: Chosen, data_dir: Path, settings: Settings, *, apply: bool) -> None:
    """Leaves dead letters out for good, or says how many it would; raises `Refused` where nothing says which."""
    if not (chosen.names or chosen.subscription or chosen.stream):
        raise Refused("say which ones: by name, --subscription or --stream")
    console = _console()
    async with subscriptions(connected(settings, data_dir)) as every:
        found = await _chosen(every, chosen)
        strange = sum(letter.position is None for _, letter in found)
        for subscription, count in sorted(Counter(letter.subscription for _, letter in found).items()):
            console.print(f"{subscription}: {counted(count, 'dead letter')}")
        console.print(f"To be left out for good: {counted(len(found) - strange, 'event')}, which the log keeps.")
        if strange:
            console.print(f"To be put aside: {counted(strange, 'strange record')}.")
        if _goes_on(console, apply=apply):
            for store in _stores(found):
                await store.letters.skip([letter for own, letter in found if own is store])
            console.print("Done.")


async def edit(name: str, data: bytes, data_dir: Path, settings: Settings) -> None:
    """Puts other data in the place of an event's; raises `Invalid` where no installed code could read it."""
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    async with subscriptions(settings) as every:
        ((store, letter),) = await _chosen(every, Chosen(names=(name,)))
        if letter.position is None or letter.type is None:
            raise Refused(f"{name} is no event of the log's: it can only be skipped")
        try:
            text = orjson.dumps(orjson.loads(data)).decode()
        except orjson.JSONDecodeError as error:
            raise Malformed(f"the data is not JSON: {error}") from error
        try:
            catalog.read_event(letter.context, letter.type, letter.row().schema_version, text)
        except Exception as error:
            raise Invalid(f"the data cannot be read: {error}") from error
        await store.letters.edit(letter, text)
    _console().print(f"{name} has other data now; `caudal dead-letters redrive {name} --apply` tries it.")


async def _chosen(every: Sequence[InstalledSubscription], chosen: Chosen) -> Found:
    wanted = every if chosen.subscription is None else [named(every, chosen.subscription)]
    found = [
        (store, letter)
        for one in wanted
        for store in one.stores
        for letter in await store.letters.all(decided=chosen.decided)
        if chosen.stream in (None, letter.stream)
    ]
    if not chosen.names:
        return found
    if unknown := set(chosen.names) - {letter.name for _, letter in found}:
        raise NotFound(f"there is no dead letter {', '.join(sorted(unknown))}; `caudal dead-letters list` shows them")
    return [(store, letter) for store, letter in found if letter.name in chosen.names]


async def _left(found: Found) -> list[DeadLetter]:
    """Those that are open still once each was tried, or after a while."""
    names = {letter.name for _, letter in found}
    give_up = asyncio.get_running_loop().time() + _WAIT_SECONDS
    while True:
        now = [letter for store in _stores(found) for letter in await store.letters.all() if letter.name in names]
        if all(letter.attempts or letter.state == "waiting" for letter in now) or asyncio.get_running_loop().time() > give_up:
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


def _as_json(letter: DeadLetter) -> dict[str, object]:
    return {
        "name": letter.name,
        "subscription": letter.subscription,
        "context": str(letter.context),
        "origin": letter.origin,
        "position": letter.position,
        "stream": letter.stream,
        "type": letter.type,
        "state": letter.state,
        "error": letter.error,
        "attempts": letter.attempts,
        "parked_at": letter.parked_at,
        "due_at": letter.due_at if letter.state == "retrying" else None,
        "key": _text(letter.key),
        "headers": {name: _text(value) for name, value in letter.headers},
        "value": _text(letter.value),
        "edited": letter.edited,
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")
