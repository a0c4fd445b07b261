"""Policy runner: the subscriber that answers events with commands, each handled once.

::

    handle(batches) ─▶ next events ─▶ Reactions: commands, failing events parked ─▶ Delivery: sent, in flight
    wait_for_room                                                                    │ too many in flight: wait
    confirm (a task of its own) ─▶ Delivery: receipts, overdue commands, checkpoint ◀┘
                                        │ a command's decision raises ─▶ Reactions: its event parked
    retry   ─▶ Reactions: due dead letters ─▶ Delivery: handled here
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aggregates.policy import Policy
from command_api.policies.delivery import Delivery, Sending
from command_api.policies.reactions import Reactions
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.system import ContextName
from streams.commands.sender import CommandSender
from streams.log.reading import AppendableLog
from streams.log.stored_events import StoredEvent
from streams.subscriptions.gap_filling import next_events
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch


class PolicyRunner:
    """Runs one policy."""

    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        logs: Mapping[ContextName, AppendableLog],
        stores: Mapping[ContextName, SubscriptionStore],
        sender: CommandSender,
        handle: Callable[[CommandEnvelope[Command]], Awaitable[None]],
        turns: Turns,
        has_side_effects: Callable[[type[Command]], bool] = lambda _: False,
    ) -> None:
        """``stores`` lie beside the logs that it follows; ``handle`` handles a command in this process.

        ``turns`` are those of everything that the process handles.
        """
        self.name = policy.full_name
        self.contexts = frozenset(stores)
        self.events = catalog.event_versions(policy.reactions)
        self._logs, self._stores = logs, stores
        self._delivery = Delivery(self.name, logs, stores, sender, handle, has_side_effects, self._park_at, turns)
        self._reactions = Reactions(catalog, policy, stores, self._delivery.are_handled_here, sender.max_command_bytes)
        self._handling = asyncio.Lock()
        """Held while events become commands: the watchdog may hand over the same events at the same time."""

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """The stores of its checkpoints and dead letters, one beside each log."""
        return tuple(self._stores.values())

    async def position(self, context: ContextName, partition: int) -> int:
        """Returns the position up to which commands were sent."""
        return await self._delivery.position(context, partition)

    async def handle(self, batches: Sequence[Batch]) -> None:
        """Sends the commands for these batches, unless they were sent before; raises `Unavailable` if no broker answers."""
        is_complete = False
        while not is_complete:
            async with self._handling:
                is_complete = await self._handle_next(batches)

    async def wait_for_room(self) -> None:
        """Returns once not too many commands are in flight; raises `Unavailable` if none of them gets its receipt."""
        await self._delivery.wait_for_room()

    async def retry(self) -> None:
        """Tries the dead letters again that are due."""
        await self._reactions.retry()

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        """Parks an event that is not reacted to yet, or one of whose commands cannot be decided."""
        await self._reactions.park(context, event, error)

    def invalidate(self, context: ContextName, partition: int) -> None:
        """Drops the commands in flight of a partition."""
        self._delivery.invalidate(context, partition)

    async def confirm(self) -> None:
        """Follows up the commands in flight, until cancelled."""
        await self._delivery.confirm()

    async def _park_at(self, context: ContextName, partition: int, position: int, error: Exception) -> None:
        for event in await self._logs[context].read_partition(partition, position - 1, position, 1):
            await self.park(context, event, error)

    async def _handle_next(self, batches: Sequence[Batch]) -> bool:
        """Sends the commands for the next events; returns whether these were all."""
        is_complete = True
        sendings: list[Sending] = []
        for context, partition, events in ((batch.context, batch.partition, batch.events) for batch in batches):
            progress = await self._delivery.progress(context, partition)
            following = await next_events(self.name, progress.sent, events, self._logs[context], partition)
            is_complete = is_complete and following.is_complete
            commands = await self._reactions.to(context, partition, following.events)
            if following.events:
                sendings.append(Sending(progress, following.events[-1].position, commands))
        await self._delivery.send(sendings)
        return is_complete
