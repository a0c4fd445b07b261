"""Runs the policies: events in, commands out to their contexts' topics.

A policy's checkpoint moves once every command that the events below it asked for has its receipt. Until then the commands
count as being on their way, and those whose receipt is overdue are sent again under the same ids, then handled here, unless
they act outside: nothing depends on what the broker remembers or on who has its partitions. An event that the policy cannot
react to is parked, and what follows it in its stream behind it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from aggregates.policy import Policy
from command_api.policies.outgoing_commands import OutgoingCommand, OutgoingCommands, answers
from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope, Rejection
from schemas.errors import Unavailable
from schemas.message import Command
from streams.commands.sender import CommandSender
from streams.log.reading import AppendableLog
from streams.log.stored_events import StoredEvent, decode
from streams.subscriptions.dead_letters import Parked, as_decided, told
from streams.subscriptions.gap_filling import continuation
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch

_log = structlog.get_logger()

OVERDUE_SECONDS = 5.0
MAX_ON_THEIR_WAY = 2000
_RECEIPT_BATCH_SIZE = 500


@dataclass(slots=True)
class _Cause:
    """An event, or the last of some, and the commands it asked for that have no receipt yet."""

    position: int
    orders: dict[UUID, OutgoingCommand]
    sent_at: float
    sent_again: int = 0

    def settle(self, answered: Mapping[UUID, Rejection | None]) -> list[OutgoingCommand]:
        """Lets go what is answered; returns what follows upon that, which the cause waits for as well."""
        settled = [order for id, order in self.orders.items() if id in answered]
        following = _following(settled, answered)
        for order in settled:
            del self.orders[order.issued.id]
        self.orders |= {order.issued.id: order for order in following}
        if following:
            self.sent_at, self.sent_again = time.monotonic(), 0
        return following


@dataclass(slots=True)
class _Progress:
    """Where a policy stands in a partition."""

    sent: int
    """Position up to which everything that was asked for has been sent."""
    confirmed: int
    """Position up to which everything that was asked for has a receipt; what is stored."""
    generation: int = 0
    """How often an operator had put it elsewhere when it was read."""
    underway: deque[_Cause] = field(default_factory=deque)


class PolicyRunner:
    """Runs one policy: a subscriber whose effect is commands, handled once each."""

    def __init__(
        self,
        catalog: Catalog,
        system: str,
        policy: Policy,
        logs: Mapping[ContextName, AppendableLog],
        stores: Mapping[ContextName, SubscriptionStore],
        sender: CommandSender,
        handle: Callable[[CommandEnvelope[Command]], Awaitable[None]],
        has_side_effects: Callable[[type[Command]], bool] = lambda _: False,
    ) -> None:
        self.name = f"{system}.{policy.name}"
        self.contexts = frozenset(catalog.context_of(event) for event in policy.reactions)
        self._types = {(catalog.context_of(event), event.message_name) for event in policy.reactions}
        self._catalog, self._logs = catalog, logs
        self._orders = OutgoingCommands(catalog, policy, self.name)
        self._stores, self._sender, self._handle, self._has_side_effects = stores, sender, handle, has_side_effects
        self._stands: dict[tuple[ContextName, int], _Progress] = {}
        self._taking = asyncio.Lock()

    @property
    def stores(self) -> Sequence[SubscriptionStore]:
        """Beside each log that it follows, its checkpoints and dead letters."""
        return tuple(self._stores.values())

    async def position(self, context: ContextName, partition: int) -> int:
        """Up to where its commands are sent."""
        stand = await self._stand(context, partition)
        if not stand.underway:
            # Another process may have gone on from here meanwhile.
            stored = (await self._stores[context].checkpoints.read(context, partition)).position
            stand.sent, stand.confirmed = max(stand.sent, stored), max(stand.confirmed, stored)
        return stand.sent

    async def take(self, batches: Sequence[Batch]) -> None:
        """Sends what these batches ask for, unless it was sent before; raises `Unavailable` while no broker answers."""
        whole = False
        while not whole:
            async with self._taking:
                whole = await self._take(batches)
        while self._on_their_way() > MAX_ON_THEIR_WAY:  # noqa: ASYNC110 - `confirm` polls too, there is nothing to wait on
            await asyncio.sleep(0.05)

    async def _take(self, batches: Sequence[Batch]) -> bool:
        """Sends what the next rows ask for; whether that was all."""
        whole = True
        orders: list[OutgoingCommand] = []
        causes: list[tuple[_Progress, _Cause]] = []
        for batch in batches:
            context, partition = batch.context, batch.partition
            stand = await self._stand(context, partition)
            found = await continuation(self.name, stand.sent, batch.rows, self._logs[context], partition)
            whole = whole and found.is_whole
            asked = await self._asked(context, partition, [row for row in found.rows if (context, row.type) in self._types])
            if found.rows:
                cause = _Cause(found.rows[-1].position, {order.issued.id: order for order in asked}, time.monotonic())
                causes.append((stand, cause))
                orders += asked
        await self._send(orders)
        for stand, cause in causes:
            stand.sent = cause.position
            stand.underway.append(cause)
        return whole

    async def retry(self) -> None:
        """Tries the dead letters again that are due, those of one stream in order until one fails.

        One is settled when the commands that it asked for have their receipts: until then it comes again.
        """
        for store in self.stores:
            for context, partition, stream in await store.dead_letters.due():
                async with store.transaction() as connection:
                    await store.checkpoints.lock(connection, [(context, partition)])
                    for dead_letter in await store.dead_letters.of_stream(connection, context, stream):
                        try:
                            orders = self._orders.of(decode(dead_letter.row(), context, self._catalog))
                        except Exception as error:
                            await store.dead_letters.failed(connection, dead_letter, error)
                            break
                        if not await self._are_handled(orders):
                            break
                        await store.dead_letters.settle(connection, dead_letter)

    def forget(self, context: ContextName, partition: int) -> None:
        """Whoever has the partition now goes on from the stored checkpoint, and so shall we if it comes back."""
        self._stands.pop((context, partition), None)

    async def confirm(self) -> None:
        """Follows up the commands on their way, until cancelled."""
        while True:
            await asyncio.sleep(0.1)
            for (context, partition), stand in list(self._stands.items()):
                try:
                    await self._confirm(context, partition, stand)
                except Unavailable as error:
                    _log.debug("cannot follow up commands", policy=self.name, why=error.detail)
                except Exception:
                    _log.exception("following up commands failed", policy=self.name)

    async def _confirm(self, context: ContextName, partition: int, stand: _Progress) -> None:
        asked: list[OutgoingCommand] = []
        for cause in stand.underway:
            asked += cause.orders.values()
            if len(asked) >= _RECEIPT_BATCH_SIZE:
                break  # the checkpoint waits for the oldest
        answered = await answers(self._logs, asked)
        confirmed = stand.confirmed
        following: list[OutgoingCommand] = []
        for cause in stand.underway:
            following += cause.settle(answered)
        while stand.underway and not stand.underway[0].orders:
            confirmed = stand.underway.popleft().position
        if confirmed > stand.confirmed:
            await self._stores[context].checkpoints.advance(context, partition, confirmed, stand.generation)
            stand.confirmed = confirmed
        if following:
            await self._send(following)
        for cause in list(stand.underway):
            # Waiting longer each time: a handler that is only slow must not get its backlog doubled.
            if cause.orders and time.monotonic() - cause.sent_at > OVERDUE_SECONDS * 2**cause.sent_again:
                orders = list(cause.orders.values())
                cause.sent_at, cause.sent_again = time.monotonic(), cause.sent_again + 1
                if cause.sent_again == 1:
                    _log.warning("sending overdue commands again", policy=self.name, commands=len(orders))
                    await self._send(orders)
                else:
                    # Whoever has their partitions is dead or stuck: receipts make it safe to handle them here. What acts
                    # outside may be under way there, and would be done twice: it waits for its partition's next owner.
                    outside = [order for order in orders if self._has_side_effects(type(order.issued.data))]
                    ours = {order.issued.id for order in orders} - {order.issued.id for order in outside}
                    _log.warning("overdue commands", policy=self.name, handled_here=len(ours), sent_again=len(outside))
                    await asyncio.gather(*(self._handle(order.issued) for order in orders if order.issued.id in ours))
                    await self._send(outside)

    async def _asked(self, context: ContextName, partition: int, rows: Sequence[StoredEvent]) -> list[OutgoingCommand]:
        """What some events ask for; parks those that the policy cannot react to, and those that follow them."""
        if not rows:
            return []
        orders: list[OutgoingCommand] = []
        parked: list[Parked] = []
        store = self._stores[context]
        async with store.transaction() as connection:
            # Whoever tries dead letters again meanwhile is waited for: nothing may come to wait behind one that has just gone.
            await store.checkpoints.lock(connection, [(context, partition)])
            blocked = await store.dead_letters.blocked(connection, context, {row.stream for row in rows})
            decided = await store.dead_letters.decided(connection, open_too=False)
            for row in (found for row in rows if (found := as_decided(decided, context, row)) is not None):
                if row.stream in blocked:
                    parked.append(Parked.event(context, row, None))
                    continue
                try:
                    orders += self._orders.of(decode(row, context, self._catalog))
                except Exception as error:
                    _log.warning("a policy cannot react", policy=self.name, position=row.position, why=told(error))
                    parked.append(Parked.event(context, row, error))
                    blocked.add(row.stream)
            await store.dead_letters.park(connection, parked)
        return orders

    async def _are_handled(self, orders: Sequence[OutgoingCommand]) -> bool:
        """Handles commands here, and what follows upon their answers; whether all of them are answered."""
        while orders:
            await asyncio.gather(*(self._handle(order.issued) for order in orders))
            answered = await answers(self._logs, orders)
            if len(answered) < len(orders):
                return False
            orders = _following(orders, answered)
        return True

    async def _send(self, orders: Iterable[OutgoingCommand]) -> None:
        await self._sender.send([(order.context, order.issued, order.key) for order in orders])

    async def _stand(self, context: ContextName, partition: int) -> _Progress:
        if (context, partition) not in self._stands:
            position, generation = await self._stores[context].checkpoints.read(context, partition)
            self._stands.setdefault((context, partition), _Progress(position, position, generation))
        return self._stands[context, partition]

    def _on_their_way(self) -> int:
        return sum(len(cause.orders) for stand in self._stands.values() for cause in stand.underway)


def _following(orders: Iterable[OutgoingCommand], answered: Mapping[UUID, Rejection | None]) -> list[OutgoingCommand]:
    return [found for order in orders if (found := order.on_outcome(answered[order.issued.id])) is not None]
