"""Reactions: a policy's commands for events. Events whose reaction fails are parked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aggregates.policy import Policy
from command_api.policies.outgoing_commands import OutgoingCommand, OutgoingCommands
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Connection
from streams.log.stored_events import StoredEvent, decode
from streams.subscriptions.dead_letters import resolved
from streams.subscriptions.failure_isolation import FailureIsolation
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import LogEvent


class Reactions:
    """The reactions of one policy, with a failure isolation beside each log that it follows."""

    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        stores: Mapping[ContextName, SubscriptionStore],
        are_handled: Callable[[list[OutgoingCommand]], Awaitable[bool]],
        max_command_bytes: int,
    ) -> None:
        """``are_handled`` handles the commands of a dead letter and returns whether all have their receipts.

        An event is parked if one of its commands has more JSON than ``max_command_bytes``.
        """
        self._catalog, self._stores = catalog, stores
        self._types = catalog.event_types(policy.reactions)
        self._commands = OutgoingCommands(catalog, policy, max_command_bytes)
        self._isolation = {
            context: FailureIsolation(store, self._react, is_finished=are_handled, max_events=1)
            for context, store in stores.items()
        }

    async def to(self, context: ContextName, partition: int, events: Sequence[StoredEvent]) -> list[OutgoingCommand]:
        """Returns the commands for events of one partition. Parks events that fail, and those behind them."""
        relevant = [event for event in events if (context, event.type) in self._types]
        if not relevant:
            return []
        store = self._stores[context]
        async with store.transaction() as connection:
            # This waits for a retry in another process, so that no event is parked behind a dead letter that was just handled.
            await store.checkpoints.lock(connection, [(context, partition)])
            resolutions = await store.dead_letters.resolutions(connection, with_open=False)
            found = [LogEvent(context, event) for event in resolved(resolutions, context, relevant)]
            isolated = await self._isolation[context].handle(connection, found, [context])
        return [command for commands in isolated.results for command in commands]

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        """Parks an event because the decision on one of its commands raises."""
        await self._isolation[context].park(LogEvent(context, event), error)

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails.

        A dead letter is removed when its commands have their receipts. Until then it is tried again.
        """
        for isolation in self._isolation.values():
            await isolation.retry()

    async def _react(self, _: Connection, events: Sequence[LogEvent]) -> list[OutgoingCommand]:
        decoded = [decode(event, context, self._catalog) for context, event in events]
        return [command for event in decoded for command in self._commands.of(event)]
