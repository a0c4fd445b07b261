"""Commands by topic: handles every command of the commands topics once, and parks what cannot be handled.

A record's offset is committed after it is handled; a repeated command is recognised by its receipt. Of what fails::

    outage, conflict, missing migration       tried again, until it succeeds
    no command, invalid, too old              parked with a receipt: repeats get the same answer
    the decision's code raises                from a policy: left to the policy, which repeats it
                                              from another sender: parked without a receipt, so that it may be sent again
    the process dies twice of a record alone  parked without a receipt (`streams.commands.guarded_commands`)
    only another version knows the command    waits for a worker of the version that migrated the database last
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
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
from streams.commands.guarded_commands import GuardedCommands, Turn
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
        await self._consumer.run(self._handle_batch, self._guarded.invalidate)

    async def _handle_batch(self, records: Sequence[Any]) -> None:
        """Handles or parks records of one partition: those of one key in order, others side by side."""
        context = self._consumer.context_of(records[0])
        known = await self._known(records)
        await self._guarded.handle(
            (context, records[0].partition), records, lambda own, turn: self._handle_side_by_side(own, known, turn)
        )

    async def _handle_side_by_side(self, records: Sequence[Any], known: set[UUID], turn: Turn) -> None:
        by_key: dict[bytes | None, list[Any]] = defaultdict(list)
        for record in records:
            by_key[record.key].append(record)
        await asyncio.gather(*(self._handle_in_order(group, known, turn) for group in by_key.values()))

    async def _known(self, records: Sequence[Any]) -> set[UUID]:
        """Returns the ids among those of records that have a receipt. Each repeat is then answered before it is decided."""
        ids, context = [], self._consumer.context_of(records[0])
        for record in records:
            with suppress(Malformed):
                ids.append(_id(context, decode_command(record)))
        try:
            return await self._handler.known(context, ids)
        except CaudalError:
            return set()  # each record is tried again until the log is in reach

    async def _handle_in_order(self, records: Iterable[Any], known: set[UUID], turn: Turn) -> None:
        for record in records:
            await self._handle(record, known, turn)

    async def _handle(self, record: Any, known: set[UUID], turn: Turn) -> None:
        """Handles one record until it has a receipt, is parked or is left to the policy that sent it."""
        backoff = Backoff("command not handled yet", first_seconds=0.05, topic=record.topic, offset=record.offset)
        try:
            while True:
                raise_if_cancelled()
                try:
                    async with turn(record):
                        fault = await self._attempt(record, known)
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

    async def _attempt(self, record: Any, known: set[UUID]) -> Exception | None:
        """Tries to handle one record; returns the error for which it has to be parked. Raises what a later try may not meet."""
        command: CommandEnvelope[Command] | None = None
        try:
            command = self._envelope(record)
            await self._check_saga(record, command)
            await self._finish(command, is_known=command.id in known)
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
        if now() - datetime.fromtimestamp(record.timestamp / 1000, UTC) > timedelta(days=self._settings.receipts_days):
            raise Invalid(
                f"the command is older than {self._settings.receipts_days} days: receipts do not reach back so far, so it might"
                " have been handled before"
            )
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
