"""The loss of a log that went back, and the subscriptions that have seen lost events."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from deploy.operations.subscriptions.installed import InstalledSubscription
from schemas.system import ContextName
from streams.broker.clients import connected_consumer
from streams.broker.divergence import Divergence, divergence
from streams.broker.topic_names import Topics
from streams.installation import Installation
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import StoredEvent, decode_metadata

_CLOCKS_DIFFER = timedelta(minutes=5)


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
    return Loss(
        context,
        found,
        retaken=len(await log.read_positions([event.position for event in found.lost])),
        effects=await _effects(installation, found.lost),
        seen_by=[one for one in subscriptions if context in one.contexts and await _has_seen(one, context, found.shared)],
    )


async def _effects(installation: Installation, lost: Sequence[StoredEvent]) -> Mapping[tuple[ContextName, str], int]:
    ids, since = {str(event.id) for event in lost}, min(event.recorded_at for event in lost) - _CLOCKS_DIFFER
    found: Counter[tuple[ContextName, str]] = Counter()
    for context, log in SearchableLog.of_contexts(installation, installation.catalog.contexts).items():
        after, head = await log.position_before(since), (await log.head()).position
        async for step in log.search(Conditions(), after, head):
            found.update((context, row.type) for row in step.rows if decode_metadata(row.metadata).causation_id in ids)
    return dict(found)


async def _has_seen(one: InstalledSubscription, context: ContextName, shared: int) -> bool:
    at = await one.store_of(context).checkpoints.of(context)
    return any(position > shared for position in at.values())
