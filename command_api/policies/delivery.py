"""Delivery: sends a policy's commands, waits for their receipts, then moves the checkpoint.

The order of things for one partition::

    send      commands of events 11 … 15 ─▶ topics        sent = 15
    confirm   every 0.1 s: receipts?  ──yes──▶ acknowledge; commands that follow an outcome are sent and waited for, too
                                │              the oldest have all of theirs ─▶ checkpoint = 15, confirmed = 15
                                └─overdue (5 s, 10 s, 20 s …)─▶ the first time: send again
                                                                then: handle here; commands with side effects: send again
                                                                      the decision's code raises ─▶ park the event

A restarted process continues from the checkpoint and sends the later commands once more. They have the same ids, so
their receipts make that harmless. Nothing depends on what the broker remembers or on which process has its partitions.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import structlog

from command_api.policies.outgoing_commands import Outcomes, OutgoingCommand, followers, outcomes_of
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.message import Command
from schemas.system import ContextName
from streams.commands.sender import CommandSender
from streams.log.reading import AppendableLog
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.store import SubscriptionStore
from streams.telemetry.retrying import raise_if_cancelled

_log = structlog.get_logger()

OVERDUE_SECONDS = 5.0
MAX_IN_FLIGHT, MAX_BYTES_IN_FLIGHT = 2000, 16 * 1024 * 1024
"""How many commands of a policy may wait for their receipts, and their JSON, before it reacts to further events."""
MAX_SILENCE_SECONDS = 5.0
"""How long is waited for room while no command gets its receipt: the database of another context may be out of reach."""
Park = Callable[[ContextName, int, int, Exception], Awaitable[None]]
"""Parks the event at a partition and a position of a context because of an error."""
_CONFIRM_SECONDS = 0.1
_RECEIPT_BATCH_SIZE = 500


@dataclass(slots=True)
class InFlight:
    """The commands of an event, or of several, that have no receipt yet."""

    position: int
    """Position of the last of the events."""
    commands: dict[UUID, OutgoingCommand]
    sent_at: float
    times_resent: int = 0

    @property
    def is_overdue(self) -> bool:
        """Returns whether to send again. The pauses grow: a handler that is only slow must not get its backlog doubled."""
        return bool(self.commands) and time.monotonic() - self.sent_at > OVERDUE_SECONDS * 2**self.times_resent

    def acknowledge(self, outcomes: Outcomes) -> list[OutgoingCommand]:
        """Removes the commands that have an outcome; returns the commands that follow, and waits for those as well."""
        following = followers(self.commands.values(), outcomes)
        self.commands = {id: command for id, command in self.commands.items() if id not in outcomes}
        if following:
            self.commands |= {command.id: command for command in following}
            self.sent_at, self.times_resent = time.monotonic(), 0
        return following


@dataclass(slots=True)
class Progress:
    """The progress of a policy in a partition."""

    sent: int
    """Position up to which all commands were sent."""
    confirmed: int
    """Position up to which all commands have a receipt; the checkpoint."""
    generation: int
    """Generation of the checkpoint when it was read."""
    in_flight: deque[InFlight] = field(default_factory=deque)

    def unconfirmed(self, limit: int) -> list[OutgoingCommand]:
        """Returns the oldest commands in flight, some more than ``limit``: the checkpoint waits for these."""
        found: list[OutgoingCommand] = []
        for one in self.in_flight:
            found += one.commands.values()
            if len(found) >= limit:
                break
        return found

    def acknowledged(self) -> int:
        """Returns the position up to which all commands have a receipt now."""
        position = self.confirmed
        for one in self.in_flight:
            if one.commands:
                break
            position = one.position
        return position

    def confirm(self, position: int) -> None:
        """Records that the checkpoint was moved."""
        self.confirmed = position
        while self.in_flight and not self.in_flight[0].commands and self.in_flight[0].position <= position:
            self.in_flight.popleft()


class Sending(NamedTuple):
    """Commands of one partition's events up to a position."""

    progress: Progress
    position: int
    commands: Sequence[OutgoingCommand]


class Delivery:
    """Delivers the commands of one policy."""

    def __init__(
        self,
        policy: str,
        logs: Mapping[ContextName, AppendableLog],
        stores: Mapping[ContextName, SubscriptionStore],
        sender: CommandSender,
        handle: Callable[[CommandEnvelope[Command]], Awaitable[None]],
        has_side_effects: Callable[[type[Command]], bool],
        park: Park,
        turns: Turns,
    ) -> None:
        """``handle`` handles a command in this process, and raises what its decision's code raises; ``park`` parks an event.

        ``turns`` are those of everything that the process handles.
        """
        self._turns = turns
        self._policy, self._logs, self._stores = policy, logs, stores
        self._sender, self._handle, self._has_side_effects, self._park = sender, handle, has_side_effects, park
        self._partitions: dict[tuple[ContextName, int], Progress] = {}
        self._has_room = asyncio.Event()
        self._acknowledged_at = time.monotonic()

    async def progress(self, context: ContextName, partition: int) -> Progress:
        """Returns the progress in a partition, from the checkpoint at the first time; raises `Unavailable`."""
        if (context, partition) not in self._partitions:
            checkpoint = await self._stores[context].checkpoints.read(context, partition)
            read = Progress(checkpoint.position, checkpoint.position, checkpoint.generation)
            self._partitions.setdefault((context, partition), read)
        return self._partitions[context, partition]

    async def position(self, context: ContextName, partition: int) -> int:
        """Returns the position up to which commands were sent, by this process or by another."""
        progress = await self.progress(context, partition)
        if not progress.in_flight:
            # Another process may have continued from here.
            stored = (await self._stores[context].checkpoints.read(context, partition)).position
            progress.sent, progress.confirmed = max(progress.sent, stored), max(progress.confirmed, stored)
        return progress.sent

    async def send(self, sendings: Sequence[Sending]) -> None:
        """Sends commands and puts them in flight; raises `Unavailable` if no broker acknowledges them."""
        now = time.monotonic()
        if not self._in_flight():
            self._acknowledged_at = now
        await self._send(command for sending in sendings for command in sending.commands)
        for progress, position, commands in sendings:
            progress.sent = position
            progress.in_flight.append(InFlight(position, {command.id: command for command in commands}, now))

    async def wait_for_room(self) -> None:
        """Returns once not too many commands are in flight. `confirm` must run meanwhile.

        Raises `Unavailable` if none of them gets its receipt for some seconds.
        """
        while (in_flight := self._in_flight()) > MAX_IN_FLIGHT or self._bytes_in_flight() > MAX_BYTES_IN_FLIGHT:
            left = self._acknowledged_at + MAX_SILENCE_SECONDS - time.monotonic()
            if left <= 0:
                raise Unavailable(f"{in_flight} commands of {self._policy} wait for their receipts")
            self._has_room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._has_room.wait()

    def invalidate(self, context: ContextName, partition: int) -> None:
        """Drops a partition: its next process continues from the checkpoint, also if that is this one again."""
        self._partitions.pop((context, partition), None)
        self._has_room.set()

    async def confirm(self) -> None:
        """Follows up the commands in flight, until cancelled."""
        while True:
            raise_if_cancelled()
            await asyncio.sleep(_CONFIRM_SECONDS)
            for (context, partition), progress in list(self._partitions.items()):
                raise_if_cancelled()
                try:
                    async with self._turns.together():
                        await self._confirm(context, partition, progress)
                        await self._resend_overdue(context, partition, progress)
                except Unavailable as error:
                    _log.debug("follow-up failed", policy=self._policy, why=error.detail)
                except Exception:
                    _log.exception("follow-up failed", policy=self._policy)
            self._has_room.set()

    async def are_handled_here(self, commands: list[OutgoingCommand]) -> bool:
        """Handles commands and those that follow them in this process; returns whether all have their receipts."""
        while commands:
            await asyncio.gather(*(self._handle(command.envelope) for command in commands))
            outcomes = await outcomes_of(self._logs, commands)
            if len(outcomes) < len(commands):
                return False
            commands = followers(commands, outcomes)
        return True

    async def _confirm(self, context: ContextName, partition: int, progress: Progress) -> None:
        outcomes = await outcomes_of(self._logs, progress.unconfirmed(_RECEIPT_BATCH_SIZE))
        if outcomes:
            self._acknowledged_at = time.monotonic()
        following = [command for one in progress.in_flight for command in one.acknowledge(outcomes)]
        position = progress.acknowledged()
        if position > progress.confirmed:
            await self._stores[context].checkpoints.advance(context, partition, position, progress.generation)
        progress.confirm(position)
        if following:
            await self._send(following)

    async def _resend_overdue(self, context: ContextName, partition: int, progress: Progress) -> None:
        for one in list(progress.in_flight):
            if one.is_overdue:
                one.sent_at, one.times_resent = time.monotonic(), one.times_resent + 1
                if one.times_resent == 1:
                    _log.warning("overdue commands sent again", policy=self._policy, commands=len(one.commands))
                    await self._send(one.commands.values())
                    continue
                for position, error in (await self._handle_or_resend(list(one.commands.values()))).items():
                    await self._park(context, partition, position, error)
                    one.commands = {id: command for id, command in one.commands.items() if command.position != position}

    async def _handle_or_resend(self, commands: Sequence[OutgoingCommand]) -> dict[int, Exception]:
        """Handles commands here, or sends them again; returns the errors of decisions by the position of the event."""
        # The process that has their partitions is dead or stuck. Receipts make it safe to handle them here. A command with
        # side effects may be in flight there and would have its effect twice: it waits for its partition's next process.
        to_send = [command for command in commands if self._has_side_effects(type(command.envelope.data))]
        sent = {command.id for command in to_send}
        to_handle = [command for command in commands if command.id not in sent]
        _log.warning("overdue commands handled", policy=self._policy, handled=len(to_handle), sent_again=len(to_send))
        results = await asyncio.gather(*(self._handle(command.envelope) for command in to_handle), return_exceptions=True)
        await self._send(to_send)
        pairs = zip(to_handle, results, strict=True)
        return {command.position: error for command, error in pairs if isinstance(error, Exception)}

    async def _send(self, commands: Iterable[OutgoingCommand]) -> None:
        await self._sender.send([(command.context, command.envelope, command.key) for command in commands])

    def _in_flight(self) -> int:
        return sum(len(one.commands) for progress in self._partitions.values() for one in progress.in_flight)

    def _bytes_in_flight(self) -> int:
        every = (one for progress in self._partitions.values() for one in progress.in_flight)
        return sum(command.bytes for one in every for command in one.commands.values())
