"""Commands by topic: handles every command of the commands topics once, and parks what cannot be handled.

A record's offset is committed after it is handled; a repeated command is recognised by its receipt. Of what fails::

    outage, conflict, missing migration       tried again, until it succeeds
    no command, invalid                       parked with a receipt: repeats get the same answer
    its receipt may have expired              parked without a receipt (`streams.commands.handled_commands`)
    the decision's code raises                from a policy: left to the policy, which repeats it
                                              from another sender: parked without a receipt, so that it may be sent again
    the process dies twice of a record alone  parked without a receipt (`streams.commands.guarded_commands`)
    only another version knows the command    waits for a worker of the version that migrated the database last
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from prometheus_client import Counter

from command_api.clock import now
from command_api.handling.handler import CommandHandler
from command_api.handling.idempotency import command_id
from command_api.handling.validation import check_encrypted, parse_json, validate_command
from schemas.catalog import Catalog
from schemas.engine.sagas import AdvanceSaga
from schemas.envelope import CommandEnvelope
from schemas.errors import (
    CaudalError,
    Conflict,
    IdempotencyKeyReused,
    Invalid,
    Malformed,
    NotFound,
    Rejected,
    Unavailable,
)
from schemas.message import Command
from schemas.sensitive import secret_fields
from schemas.system import ContextName
from streams.broker.cloudevents import IncomingCommand, decode_command
from streams.commands.consumer import CommandConsumer
from streams.commands.guarded_commands import GuardedCommands, Turn, Where
from streams.commands.handled_commands import digest
from streams.commands.notes import CommandNotes
from streams.settings import Settings
from streams.subscriptions.faults import ProcessDied
from streams.subscriptions.process_deaths.turns import Turns
from streams.telemetry.retrying import Backoff, raise_if_cancelled, reason, until_done

_log = structlog.get_logger()

MORE_LEVELS = 8
"""Levels by which a command by topic may be nested deeper than a client's: a saga gets events, which hold what clients sent."""

FINAL = (Invalid, NotFound, IdempotencyKeyReused)
"""Errors that a repeat of the same record would meet again."""
PARKED = Counter("caudal_commands_parked", "Records of commands topics that are no commands.", ["topic"])


class ReceiptExpired(Exception):
    """A command has come again, and the receipt that would say whether it was handled may have been dropped."""


class _Earlier(NamedTuple):
    """The part of a batch that may have been handled before."""

    known: set[UUID]
    """The ids of the commands that have a receipt."""
    expired_up_to: int
    """The offset up to which a command without a receipt may have been handled, -1 for none."""


@dataclass(slots=True)
class _Place:
    """The place of this process in a partition."""

    next: int
    """The lowest offset that it has not handled."""
    expired_up_to: int


class TopicWorker:
    """Handles the commands of one process's share of the commands topics."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        handler: CommandHandler,
        notes: Mapping[ContextName, CommandNotes],
        turns: Turns,
    ) -> None:
        """``turns`` are those of everything that the process handles."""
        self._settings, self._catalog, self._handler, self._notes = settings, catalog, handler, notes
        self._of_another_version: dict[tuple[str, int, int], str] = {}
        """The types of the commands that wait for a worker of another version, by topic, partition and offset."""
        self._places: dict[Where, _Place] = {}
        self._guarded = GuardedCommands(lambda context: notes[context].attempts, turns)
        self._consumer = CommandConsumer(settings, catalog, "commands")

    def why_not_ready(self) -> str | None:
        """Returns why commands are not handled yet, or ``None``."""
        if self._of_another_version:
            types = ", ".join(sorted(set(self._of_another_version.values())))
            return f"the database was migrated by a version that knows other commands: {types} waits for a worker of it"
        return self._consumer.why_not_ready()

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database."""
        await self._consumer.run(self._handle_batch, self._note_revoked)

    def _note_revoked(self) -> None:
        """Drops what is remembered of partitions that may be another process's now."""
        self._guarded.invalidate()
        self._places.clear()

    async def _handle_batch(self, records: Sequence[Any]) -> None:
        """Handles or parks records of one partition: those of one key in order, others side by side."""
        context, partition = where = (self._consumer.context_of(records[0]), records[0].partition)
        if where not in self._places or records[0].offset < self._places[where].next:
            expired_up_to = await until_done(lambda: self._expired_up_to(records[0]), "expired receipts not looked for yet")
            self._places[where] = _Place(records[0].offset, expired_up_to)
        place = self._places[where]
        if records[0].offset <= place.expired_up_to:
            known = await until_done(lambda: self._handler.known(context, self._ids(records)), "receipts not read yet")
        else:
            known = await self._known(records)
        earlier = _Earlier(known, place.expired_up_to)
        await self._guarded.handle(where, records, lambda own, turn: self._handle_side_by_side(own, earlier, turn))
        await until_done(lambda: self._notes[context].handled.note(partition, records[-1]), "handled commands not noted yet")
        place.next = records[-1].offset + 1

    async def _expired_up_to(self, record: Any) -> int:
        """Returns the offset up to which commands of a record's partition may lack their receipts, -1 for none.

        That is asked when the partition is assigned and when its offsets have gone back: then the offsets of the group may have
        been lost. Raises `Unavailable`.
        """
        handled = self._notes[self._consumer.context_of(record)].handled
        expired = await handled.expired(record.partition)
        if expired is None or record.offset > expired.offset:
            return -1
        found = await self._consumer.record_at(record.topic, record.partition, expired.offset)
        if found is not None and digest(found) == expired.digest:
            _log.warning("commands come again whose receipts may have expired", topic=record.topic, partition=record.partition)
            return expired.offset
        _log.warning("commands topic was created anew", topic=record.topic, partition=record.partition)
        await handled.drop(record.partition)
        return -1

    async def _handle_side_by_side(self, records: Sequence[Any], earlier: _Earlier, turn: Turn) -> None:
        by_key: dict[bytes | None, list[Any]] = defaultdict(list)
        for record in records:
            by_key[record.key].append(record)
        await asyncio.gather(*(self._handle_in_order(group, earlier, turn) for group in by_key.values()))

    async def _known(self, records: Sequence[Any]) -> set[UUID]:
        """Returns the ids among those of records that have a receipt. Each repeat is then answered before it is decided."""
        try:
            return await self._handler.known(self._consumer.context_of(records[0]), self._ids(records))
        except CaudalError:
            return set()  # each record is tried again until the log is in reach

    def _ids(self, records: Sequence[Any]) -> list[UUID]:
        """Returns the ids of those records that have one."""
        ids = []
        for record in records:
            with suppress(Malformed):
                ids.append(self._id_of(record))
        return ids

    def _id_of(self, record: Any) -> UUID:
        return _id(self._consumer.context_of(record), decode_command(record))

    async def _handle_in_order(self, records: Iterable[Any], earlier: _Earlier, turn: Turn) -> None:
        for record in records:
            await self._handle(record, earlier, turn)

    async def _handle(self, record: Any, earlier: _Earlier, turn: Turn) -> None:
        """Handles one record until it has a receipt, is parked or is left to the policy that sent it."""
        backoff = Backoff("command not handled yet", first_seconds=0.05, topic=record.topic, offset=record.offset)
        try:
            while True:
                raise_if_cancelled()
                try:
                    async with turn(record):
                        fault = await self._attempt(record, earlier)
                    if fault is not None:
                        await self._park(record, fault)
                    return
                except ProcessDied as error:
                    await self._park(record, error)
                    return
                except Conflict as error:
                    backoff.reset()
                    await backoff.wait(error)
                except CaudalError as error:
                    await backoff.wait(error)
        finally:
            self._of_another_version.pop((record.topic, record.partition, record.offset), None)

    async def _attempt(self, record: Any, earlier: _Earlier) -> Exception | None:
        """Tries to handle one record; returns the error for which it has to be parked. Raises what a later try may not meet."""
        command: CommandEnvelope[Command] | None = None
        try:
            if record.offset <= earlier.expired_up_to and self._id_of(record) not in earlier.known:
                return ReceiptExpired("it may have been handled before: receipts of its time have been dropped")
            command = self._envelope(record)
            await self._check_saga(record, command)
            await self._finish(command, is_known=command.id in earlier.known)
        except FINAL as error:
            await self._check_version(record, error)
            return error
        except CaudalError:
            raise
        except Exception as error:
            _log.exception("decision failed", topic=record.topic, partition=record.partition, offset=record.offset)
            return error if command is None or command.policy is None else None
        return None

    async def _check_saga(self, record: Any, command: CommandEnvelope[Command]) -> None:
        """Raises `Unavailable` for an input of a saga to which the version that migrated last may react otherwise."""
        if isinstance(command.data, AdvanceSaga):
            known = self._notes[self._consumer.context_of(record)].known
            if await known.knows_saga_otherwise(command.data.saga):
                raise self._left_to_another_version(record, f"the saga {command.data.saga}")

    async def _check_version(self, record: Any, error: Exception) -> None:
        """Raises `Unavailable` if the version that migrated the database last may accept what this one does not.

        That is a command that it knows otherwise, and as long as the versions differ at all, each command of a policy, which
        would take the receipt for the outcome.
        """
        if isinstance(error, IdempotencyKeyReused):
            return
        with suppress(Malformed):
            incoming = decode_command(record)
            others = await self._notes[self._consumer.context_of(record)].known.others()
            if incoming.type in others or (others and incoming.policy is not None):
                raise self._left_to_another_version(record, incoming.type)

    def _left_to_another_version(self, record: Any, what: str) -> Unavailable:
        self._of_another_version[record.topic, record.partition, record.offset] = what
        return Unavailable("the database was migrated by a version that knows other commands", what)

    async def _finish(self, command: CommandEnvelope[Command], *, is_known: bool) -> None:
        try:
            await self._handler.handle(command, is_known=is_known)
        except Rejected as error:
            name, correlation_id = command.data.message_name, command.correlation_id
            _log.info("command rejected", command=name, id=str(command.id), correlation_id=correlation_id, reason=error.detail)

    async def _park(self, record: Any, error: Exception) -> None:
        """Parks a record once, through outages; if its fault is final, with a receipt for its sender."""

        async def publish() -> None:
            await self._consumer.park(record, error, keep_value=not self._may_hold_secrets(record))

        async def answer() -> None:
            with suppress(Malformed, IdempotencyKeyReused):
                context, incoming = self._consumer.context_of(record), decode_command(record)
                id = _id(context, incoming)
                await self._handler.record_failure(context, id, incoming.correlation_id, reason(error))

        await until_done(publish, "record not parked yet")
        if isinstance(error, FINAL):
            await until_done(answer, "parked command not answered yet")
        PARKED.labels(record.topic).inc()

    def _may_hold_secrets(self, record: Any) -> bool:
        """Returns whether a record may hold sensitive data; an unreadable one may be any of its context's commands."""
        try:
            system, _, name = decode_command(record).type.partition(".")
            return bool(secret_fields(self._catalog.command(system, name)[1]))
        except (Malformed, NotFound):
            context = self._consumer.context_of(record)
            return any(secret_fields(command) for home, command in self._catalog.commands() if home == context)

    def _envelope(self, record: Any) -> CommandEnvelope[Command]:
        incoming = decode_command(record)
        system, _, name = incoming.type.partition(".")
        context, command_class = self._catalog.command(system, name)
        document = parse_json(incoming.value, self._settings.max_body_depth + MORE_LEVELS)
        command = check_encrypted(validate_command(document, command_class))
        return CommandEnvelope(
            data=command,
            id=_id(context, incoming),
            at=_at(incoming),
            correlation_id=incoming.correlation_id,
            causation_id=incoming.causation_id,
            actor=incoming.actor,
            traceparent=incoming.traceparent,
            policy=incoming.policy,
        )


def _at(incoming: IncomingCommand) -> datetime:
    """Returns the time of a command: its sender's, or the current one if the sender names none or one of the future."""
    arrived = now()
    return arrived if incoming.at is None else min(incoming.at, arrived)


def _id(context: ContextName, incoming: IncomingCommand) -> UUID:
    return incoming.id if incoming.idempotency_key is None else command_id(context, incoming.idempotency_key)
