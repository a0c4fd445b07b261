"""The receipt of a command: what it recorded or why it was rejected, and which views and policies have its events."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from rich.console import Console

from deploy.console.printing import ago
from deploy.operations.followers import followers_of_events
from deploy.operations.installation import OpenInstallation
from deploy.operations.installed_subscriptions import InstalledSubscription
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from schemas.access import Access
from schemas.errors import NotFound
from schemas.system import ContextName
from schemas.values.text import Identifier
from streams.log.appending import AppendablePostgresLog
from streams.log.stored_events import StoredEvent, decode_metadata


class OneCommand(Parameters):
    """The command."""

    context: Identifier
    """``system.context``, of its aggregate."""
    command_id: UUID


@dataclass(frozen=True, slots=True)
class EventOfCommand:
    """An event that the command recorded."""

    position: int
    type: str
    stream: str
    version: int


@dataclass(frozen=True, slots=True)
class FollowerOfCommand:
    """A projection or a policy that follows events of the command."""

    name: str
    kind: str
    has_them: bool
    """Whether its checkpoint is at or above every event that it follows. It may have parked them as dead letters."""


@dataclass(frozen=True, slots=True)
class CommandReceipt:
    """The outcome of a command."""

    context: str
    command_id: UUID
    command: str | None
    """Its name; ``None`` if it recorded no event, or no system declares it."""
    actor: str | None
    correlation_id: str | None
    stream: str
    version: int
    recorded_at: datetime
    rejection: str | None
    """Why it was rejected."""
    events: Sequence[EventOfCommand]
    followers: Sequence[FollowerOfCommand]


async def show_command(installation: OpenInstallation, wanted: OneCommand) -> CommandReceipt:
    """Shows what became of a command: its events, and which views and policies have them."""
    context = ContextName.parse(wanted.context)
    declared = installation.catalog.context(context)
    reader = installation.within("caudal_reader")
    log = AppendablePostgresLog(reader.log_store(context), context, declared.partitions)
    receipt = await log.receipt(wanted.command_id)
    if receipt is None:
        raise NotFound(f"{context} has no receipt of a command {wanted.command_id}: it was not handled there, or long ago")
    events = await _events(log, receipt.position, len(receipt.events), wanted.command_id)
    metadata = decode_metadata(events[0].metadata) if events else None
    return CommandReceipt(
        context=str(context),
        command_id=receipt.command_id,
        command=None if metadata is None else metadata.command,
        actor=None if metadata is None else metadata.actor,
        correlation_id=None if metadata is None else metadata.correlation_id,
        stream=receipt.stream,
        version=receipt.version,
        recorded_at=receipt.recorded_at,
        rejection=None if receipt.rejection is None else receipt.rejection.detail,
        events=[EventOfCommand(row.position, row.type, row.stream, row.version) for row in events],
        followers=await _followers(installation, context, events),
    )


async def _events(log: AppendablePostgresLog, position: int, count: int, id: UUID) -> Sequence[StoredEvent]:
    """Returns the events of a command: they have dense positions, among which is the one of its receipt."""
    near = range(max(1, position - count + 1), position + count)
    rows = await log.read_positions(list(near)) if count else ()
    return [row for row in rows if decode_metadata(row.metadata).command_id == id]


async def _followers(
    installation: OpenInstallation, context: ContextName, events: Sequence[StoredEvent]
) -> Sequence[FollowerOfCommand]:
    of_events = followers_of_events(installation.catalog)
    followed: dict[str, list[StoredEvent]] = {}
    for row in events:
        for follower in of_events.get(installation.catalog.event(context, row.type), ()):
            followed.setdefault(follower.name, []).append(row)
    by_name = {one.name: one for one in installation.subscriptions}
    known = [(by_name[name], rows) for name, rows in followed.items() if name in by_name]
    has = await asyncio.gather(*(_has(one, context, rows) for one, rows in known))
    return [FollowerOfCommand(one.name, one.kind, has_them) for (one, _), has_them in zip(known, has, strict=True)]


async def _has(one: InstalledSubscription, context: ContextName, rows: Iterable[StoredEvent]) -> bool:
    found = await one.store_of(context).store.fetch("checkpoints", one.name)
    positions = {row["partition"]: row["position"] for row in found if row["source"] == str(context)}
    return all(positions.get(row.partition, 0) >= row.position for row in rows)


def print_receipt(found: CommandReceipt, out: Console, now: datetime) -> None:
    """Prints the receipt: the outcome, the events, then those that follow them."""
    by = f", by {found.actor}" if found.actor else ""
    outcome = "rejected" if found.rejection is not None else "accepted"
    out.print(f"{found.command or 'Command'} {found.command_id}: {outcome} {ago(found.recorded_at, now)}{by}", markup=False)
    if found.rejection is not None:
        out.print(f"  {found.rejection}", markup=False)
    out.print(f"  {found.stream}, version {found.version}", markup=False)
    for event in found.events:
        out.print(f"  {event.position:>8}  {event.type}  {event.stream} {event.version}", markup=False)
    for follower in found.followers:
        out.print(f"  {follower.kind} {follower.name} {'has' if follower.has_them else 'does not have'} them", markup=False)


SHOW = Reading("commands/show", OneCommand, show_command, TypeAdapter(CommandReceipt), access=Access.to("operator", "auditor"))
