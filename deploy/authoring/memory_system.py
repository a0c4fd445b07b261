"""Systems in memory: commands are handled, policies and sagas react, and rows are projected, all before a command returns."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from aggregates.system import Domain, with_sagas
from command_api.clock import now
from command_api.handling import activities
from command_api.handling.activities import ActivityDependencies
from command_api.handling.handler import CommandHandler
from command_api.policies.outgoing_commands import OutgoingCommand, OutgoingCommands
from command_api.timer_clock import timer_command
from projectors.projection import Projection
from schemas.catalog import Catalog
from schemas.engine import SYSTEM as ENGINE_SYSTEM
from schemas.engine.sagas import CONTEXT as SAGAS
from schemas.envelope import CommandEnvelope, RecordedEvent, Rejection
from schemas.errors import Misconfigured, Rejected
from schemas.message import Command, Event
from schemas.system import ENGINE, ContextName, System
from schemas.view import View
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.encryption.subject_keys import SubjectKeys
from streams.log.memory import MemoryLog
from streams.log.stored_events import decode
from streams.log.timers import Timer
from streams.settings import Settings

_MAX_COMMANDS = 1000
"""So many commands may follow from one: more mean that policies answer one another without end."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that followed from a command: an event, a row after it, or a rejection; exactly one of them is set."""

    event: RecordedEvent[Event] | None = None
    row: View | None = None
    deleted: tuple[str, Any] | None = None
    """View and key of a row that is gone."""
    rejected: tuple[str, Rejection] | None = None
    """Name of the command, and why."""


class MemorySystem:
    """One system beside the engine's own, with logs and rows in memory. Timers of sagas fire in `wait` alone."""

    def __init__(self, system: System, domain: Domain, projections: Iterable[Projection[Any]]) -> None:
        self.catalog = Catalog.of((system, ENGINE_SYSTEM))
        self.rows: dict[tuple[str, Any], View] = {}
        domains = with_sagas({system.name: domain}, self.catalog)
        self._ahead = timedelta()
        self._logs = {name: MemoryLog(name, context.partitions, self._now) for name, context in self.catalog.contexts.items()}
        self._timers = self._logs[ContextName(ENGINE, SAGAS)].timers
        # The keys of data subjects are in a database: commands with sensitive fields cannot be tried in memory.
        keys = SubjectKeys(Settings(), Databases("caudal_writer", pool_size=1))
        dependencies = ActivityDependencies(Settings(), keys, BoundedProcesses(), activities.installed(self.catalog))
        self._handler = CommandHandler(self.catalog, domains, self._logs, dependencies=dependencies)
        self._projections = tuple(projections)
        self._policies = [OutgoingCommands(self.catalog, policy) for one in domains.values() for policy in one.policies]
        self._seen = dict.fromkeys(self._logs, 0)

    async def send(self, command: Command, actor: str | None = None) -> list[Happened]:
        """Handles a command and everything that follows from it; raises `Misconfigured` for faults in the declarations."""
        id = UUID(str(uuid7()))
        return await self._run(CommandEnvelope(data=command, id=id, at=self._now(), correlation_id=str(id), actor=actor))

    async def wait(self, time: timedelta) -> list[Happened]:
        """Moves the clock forward; timers fire in the order in which they are due, each with all that follows from it."""
        up_to = self._now() + time
        happened: list[Happened] = []
        fired: set[Timer] = set()
        while due := [one for one in self._timers.values() if one.due_at <= up_to and one not in fired]:
            timer = min(due, key=attrgetter("place"))
            self._ahead += max(timer.due_at - self._now(), timedelta())
            happened += await self._run(timer_command(timer, self._now()))
            fired.add(timer)
        self._ahead += max(up_to - self._now(), timedelta())
        return happened

    async def _run(self, first: CommandEnvelope[Any]) -> list[Happened]:
        happened: list[Happened] = []
        waiting: deque[tuple[CommandEnvelope[Command], OutgoingCommand | None]] = deque([(first, None)])
        for _ in range(_MAX_COMMANDS):
            if not waiting:
                return happened
            envelope, outgoing = waiting.popleft()
            rejection = await self._handle(envelope)
            if rejection is not None:
                happened.append(Happened(rejected=(envelope.data.message_name, rejection)))
            for event in await self._new_events():
                happened += [Happened(event=event), *self._project(event)]
                waiting += [(made.envelope, made) for policy in self._policies for made in policy.of(event)]
            if outgoing is not None and (following := outgoing.on_outcome(rejection)) is not None:
                waiting.append((following.envelope, following))
        raise Misconfigured(f"more than {_MAX_COMMANDS} commands follow from one: do policies answer each other without end?")

    def _now(self) -> datetime:
        return now() + self._ahead

    async def _handle(self, envelope: CommandEnvelope[Command]) -> Rejection | None:
        try:
            return (await self._handler.handle(envelope)).rejection
        except Rejected as error:
            return Rejection(error.kind, error.detail, envelope.correlation_id)

    async def _new_events(self) -> list[RecordedEvent[Event]]:
        """Returns the events that were recorded since the last call, log by log."""
        found = []
        for context, log in self._logs.items():
            rows = await log.read(self._seen[context], _MAX_COMMANDS)
            found += [decode(row, context, self.catalog) for row in rows]
            self._seen[context] += len(rows)
        return found

    def _project(self, event: RecordedEvent[Event]) -> Iterator[Happened]:
        for projection in self._projections:
            if type(event.data) in projection.events:
                key = projection.key_of(event)
                place = (projection.name, key)
                row = projection.apply(self.rows.get(place, projection.new_row(key)), event)
                if row is None:
                    self.rows.pop(place, None)
                    yield Happened(deleted=place)
                else:
                    self.rows[place] = row
                    yield Happened(row=row)
