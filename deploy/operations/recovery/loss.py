"""The loss of a log that went back, and the subscriptions that have seen lost events."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from deploy.operations.installed_subscriptions import InstalledSubscription
from projectors.versions import VersionedView
from schemas.system import ContextName
from streams.broker.clients import connected_consumer
from streams.broker.divergence import Divergence, divergence
from streams.broker.topic_names import Topics
from streams.installation import Installation
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata

_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A policy whose commands have lost their effects, while the events that it answered are still there."""

    policy: InstalledSubscription
    context: ContextName
    """The log that still has the events."""
    position: int
    """The policy goes back to this position: the newest one that is certainly before all these events."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The difference between one log and its topic."""

    context: ContextName
    found: Divergence
    retaken: int
    """New events of the log at positions of lost ones."""
    effects: Mapping[tuple[ContextName, str], int] = field(default_factory=dict)
    """Events in the logs that lost ones have caused, by their log and their type."""
    seen_by: Sequence[InstalledSubscription] = ()
    """The subscriptions that have handled positions of lost events."""
    unsettled: Sequence[Unsettled] = ()

    @property
    def lost(self) -> Sequence[StoredEvent]:
        """The lost events, in order."""
        return self.found.lost


async def loss_of(
    installation: Installation, context: ContextName, subscriptions: Sequence[InstalledSubscription]
) -> Loss | None:
    """Returns what a log has lost and no operator has accepted, or ``None``; raises `Unavailable`."""
    log = SearchableLog(installation.log_store(context), context)
    timelines = (await log.timelines()).accepted
    topic = Topics(installation.settings, installation.catalog).events(context)
    async with connected_consumer(installation.settings, "recovery") as consumer:
        found = await divergence(log, consumer, topic, timelines)
    if found is None:
        return None
    seen_by = [
        one for one in subscriptions if context in one.contexts and await _has_seen(installation, one, context, found.shared)
    ]
    redone = {row["command_id"] for row in await installation.log_store(context).fetch("answers", _commands_of(found.lost))}
    causes, effects = await _causes_and_effects(installation, found.lost, redone)
    return Loss(
        context,
        found,
        retaken=len(await log.read_positions([event.position for event in found.lost])),
        effects=effects,
        seen_by=seen_by,
        unsettled=await _unsettled(installation, subscriptions, causes),
    )


def _commands_of(events: Sequence[StoredEvent]) -> list[UUID]:
    return [decode_metadata(event.metadata).command_id for event in events]


async def _causes_and_effects(
    installation: Installation, lost: Sequence[StoredEvent], redone: Set[UUID]
) -> tuple[Mapping[ContextName, Sequence[StoredEvent]], Mapping[tuple[ContextName, str], int]]:
    """Returns the events in the logs that have caused lost ones, and the number of those that lost ones have caused.

    The causes of those whose commands have been ``redone`` since are left out.
    """
    ids = {str(event.id) for event in lost}
    metadata = [decode_metadata(event.metadata) for event in lost]
    causation_ids = {one.causation_id for one in metadata if one.causation_id is not None and one.command_id not in redone}
    since = min(*(event.recorded_at for event in lost), *map(_time_of, causation_ids)) - _CLOCKS_DIFFER
    causes: defaultdict[ContextName, list[StoredEvent]] = defaultdict(list)
    effects: Counter[tuple[ContextName, str]] = Counter()
    for context, log in SearchableLog.of_contexts(installation, installation.catalog.contexts).items():
        after, head = await log.position_before(since), (await log.head()).position
        async for step in log.search(Conditions(), after, head):
            effects.update((context, row.type) for row in step.rows if decode_metadata(row.metadata).causation_id in ids)
            causes[context] += (row for row in step.rows if str(row.id) in causation_ids)
    return causes, dict(effects)


def _time_of(causation_id: str) -> datetime:
    """Returns the time at which an event got its id, a version 7 UUID; that of any other id is later than all of them."""
    with suppress(ValueError):
        if (id := UUID(causation_id)).version == 7:
            return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)
    return datetime.max.replace(tzinfo=UTC)


async def _unsettled(
    installation: Installation,
    subscriptions: Sequence[InstalledSubscription],
    causes: Mapping[ContextName, Sequence[StoredEvent]],
) -> list[Unsettled]:
    """Returns the policies that have handled causes of lost events.

    A checkpoint that is in the same database as the lost log, and went back with it, is before the causes.
    """
    found = []
    for context, log in SearchableLog.of_contexts(installation, [one for one in causes if causes[one]]).items():
        position = await log.position_before(min(event.recorded_at for event in causes[context]) - _CLOCKS_DIFFER)
        for one in subscriptions:
            if one.kind == "policy" and context in one.contexts:
                at = await one.store_of(context).checkpoints.of(context)
                if any(event.position <= at.get(event.partition, 0) for event in causes[context]):
                    found.append(Unsettled(one, context, position))
    return found


async def _has_seen(installation: Installation, one: InstalledSubscription, context: ContextName, shared: int) -> bool:
    """Returns whether a subscription is beyond a position, or a version of its view is that is being built."""
    positions = [*(await one.store_of(context).checkpoints.of(context)).values()]
    if one.projection is not None:
        view = VersionedView(installation, one.projection)
        if (building := (await view.versions()).building) is not None:
            positions += (await view.positions_of(building)).get(context, {}).values()
    return any(position > shared for position in positions)
