"""Handles a command: load, decide, append, answer. The one way in which events come to be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import structlog
from prometheus_client import Counter

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.system import Domain
from command_api.handling.activities import ActivityDependencies
from command_api.handling.cache import AggregateMemory
from command_api.handling.fingerprint import fingerprint
from command_api.handling.preparation import Preparation
from command_api.handling.repository import Repository
from command_api.http.request import now
from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope, Metadata, Receipt, Rejection
from schemas.errors import (
    AlreadyExists,
    CaudalError,
    Conflict,
    Failed,
    InProgress,
    Invalid,
    Misconfigured,
    PreconditionFailed,
    Rejected,
)
from schemas.expected_version import ANY_VERSION, NO_STREAM, ExpectedVersion
from schemas.message import Command
from streams.log.group_commit import GroupCommit
from streams.log.reading import Append, AppendableLog, Write
from streams.log.stored_events import encode
from streams.telemetry.tracing import traced

A = TypeVar("A", bound=Aggregate)

_log = structlog.get_logger()

_UNDECIDED = b"undecided"
"""The fingerprint of a command that came to no decision."""

COMMANDS = Counter("caudal_commands", "Commands handled.", ["command", "outcome"])


class CommandHandler:
    """Decides commands on event-sourced aggregates and appends what they record, with a receipt for each command.

    ``logs`` has a log for each context whose commands are handled here. Safe for any number of commands at once.
    """

    def __init__(
        self,
        catalog: Catalog,
        domains: Mapping[str, Domain],
        logs: Mapping[ContextName, AppendableLog],
        *,
        outside: ActivityDependencies | None = None,
        conflict_retries: int = 5,
        memory_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._catalog = catalog
        self._preparation = Preparation(outside, self.load)
        self._decisions: dict[type[Command], Decision[Any]] = {
            decision.command: decision for side in domains.values() for decision in side.decisions
        }
        for _, command in catalog.commands():
            if command not in self._decisions and not self._preparation.has_activity(command):
                raise Misconfigured(f"no decision is declared for the command {command.message_name!r}")
        memory = AggregateMemory(memory_bytes)
        self._logs = logs
        self._commits = {context: GroupCommit(log) for context, log in logs.items()}
        self._repositories = {context: Repository(log, catalog, memory) for context, log in logs.items()}
        self._conflict_retries = conflict_retries
        self._in_progress: set[tuple[ContextName, object]] = set()

    async def handle(
        self, issued: CommandEnvelope[Command], *, expected: ExpectedVersion = ANY_VERSION, record_failure: bool = False
    ) -> Receipt:
        """Handles one command and returns its receipt; a repeated command gets its first receipt again.

        ``expected`` is what the caller believes of the command's stream. With ``record_failure`` a decision that breaks down
        is recorded as rejected, for callers who would else bring the command again for ever.

        Raises `Rejected` where a rule of the domain says no (recorded too: a repeat is rejected alike),
        `PreconditionFailed`, `Conflict` where every attempt lost a race, `InProgress`, `IdempotencyKeyReused`, and
        `Unavailable` while the log is out of reach: then it is open whether the command was handled, and repeating it
        under the same id is safe.
        """
        context, name = self._catalog.context_of(type(issued.data)), issued.data.message_name
        outcome = "failed"
        try:
            with traced(f"handle {context.system}.{name}", issued.traceparent) as traceparent:
                if traceparent != issued.traceparent:
                    issued = replace(issued, traceparent=traceparent)
                receipt = await self._handle(context, issued, expected, record_failure)
            outcome = "repeated" if receipt.repeated else "accepted"
        except CaudalError as error:
            outcome = error.kind
            raise
        finally:
            _counter(name, outcome).inc()
        return receipt

    async def _handle(
        self, context: ContextName, issued: CommandEnvelope[Command], expected: ExpectedVersion, record_failure: bool
    ) -> Receipt:
        mark = (context, issued.id)
        if mark in self._in_progress:
            raise InProgress("a command with this id is being handled right now")
        self._in_progress.add(mark)
        try:
            receipt = await self._answered(context, issued, expected, record_failure)
        finally:
            self._in_progress.discard(mark)
        if receipt.rejection is not None:
            raise _rejected(receipt.rejection)
        return receipt

    def has_side_effects(self, command: type[Command]) -> bool:
        """Whether something is done outside before a command of this class is decided."""
        return self._preparation.has_activity(command)

    async def record_failure(self, context: ContextName, command_id: UUID, correlation_id: str, why: str) -> None:
        """Leaves a receipt for a command that can never be decided, so that its sender knows; raises `Unavailable`."""
        await self._undecided(context, command_id, Rejection(Failed.kind, why, correlation_id))

    async def load(self, context: ContextName, aggregate: type[A], key: str) -> A:
        """An aggregate as the log tells it now, for whoever only looks at it; raises `Unavailable`."""
        repository, ref = self._repositories[context], Ref(aggregate, key)
        found = await repository.load(ref, now())
        if found.version != await self._logs[context].version(ref.stream):
            repository.forget(ref.stream)
            found = await repository.load(ref, now())
        assert isinstance(found, aggregate)
        return found

    async def _answered(
        self, context: ContextName, issued: CommandEnvelope[Command], expected: ExpectedVersion, record_failure: bool
    ) -> Receipt:
        try:
            closed = await self._preparation.closed(issued)
        except Rejected as rejection:
            # What is in it cannot be encrypted any more, so a repeat is known by its id alone.
            first_answer = await self._logs[context].receipt(issued.id)
            if first_answer is not None:
                return first_answer
            return await self._undecided(context, issued.id, _answer(rejection, issued))
        return await self._prepared(context, closed, expected, record_failure)

    async def _undecided(
        self, context: ContextName, command_id: UUID, rejection: Rejection, mark: bytes = _UNDECIDED
    ) -> Receipt:
        """Leaves a receipt, and nothing else, for a command that comes to no decision."""
        return await self._commits[context].append(
            Append(
                command_id=command_id,
                fingerprint=mark,
                metadata=Metadata(command_id=command_id, correlation_id=rejection.correlation_id),
                writes=(Write(f"undecided-{command_id}", NO_STREAM),),
                rejection=rejection,
            )
        )

    async def _prepared(
        self, context: ContextName, issued: CommandEnvelope[Command], expected: ExpectedVersion, record_failure: bool
    ) -> Receipt:
        mark = fingerprint(issued.data)
        if self._preparation.has_activity(type(issued.data)):
            first_answer = await self._logs[context].receipt(issued.id, mark)
            if first_answer is not None:
                return first_answer
            if expected != ANY_VERSION:
                raise Invalid("what is done outside cannot be undone where a version is not as expected: none may be stated")
            try:
                issued = await self._preparation.done(issued)
            except Rejected as rejection:
                return await self._undecided(context, issued.id, _answer(rejection, issued), mark)
        return await self._with_retries(context, issued, mark, expected, record_failure)

    async def _with_retries(
        self,
        context: ContextName,
        issued: CommandEnvelope[Command],
        mark: bytes,
        expected: ExpectedVersion,
        record_failure: bool,
    ) -> Receipt:
        for attempt in range(1, self._conflict_retries + 1):
            try:
                return await self._attempt(context, issued, mark, expected, record_failure, first=attempt == 1)
            except Conflict as conflict:
                if attempt == self._conflict_retries:
                    raise
                _log.debug("lost a race, deciding again", command=str(issued.id), attempt=attempt, why=conflict.detail)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self,
        context: ContextName,
        issued: CommandEnvelope[Command],
        mark: bytes,
        expected: ExpectedVersion,
        record_failure: bool,
        *,
        first: bool,
    ) -> Receipt:
        repository, decision = self._repositories[context], self._decisions[type(issued.data)]

        # 1. Load what the decision is about.
        refs = decision.about(issued)
        aggregates = [
            await repository.load(ref, issued.at, assume_new=decision.creates and n == 0 and first)
            for n, ref in enumerate(refs)
        ]
        if not expected.allows(aggregates[0].version):
            return await self._precondition_failed(context, issued, mark, refs[0], expected)

        # 2. Decide. From here to the queue nothing is awaited, so that no other command comes in between.
        try:
            versions = [aggregate.version for aggregate in aggregates]
            rejection = _decide(decision, issued, aggregates, record_failure)
            append = Append(
                command_id=issued.id,
                fingerprint=mark,
                metadata=_metadata(issued),
                writes=tuple(
                    Write(aggregate.id, ExpectedVersion(version), tuple(map(encode, aggregate.take_recorded())))
                    for aggregate, version in zip(aggregates, versions, strict=True)
                ),
                rejection=None if rejection is None else _answer(rejection, issued),
            )
            for write in append.writes:
                repository.record(write.stream, sum([len(event.data) for event in write.events]))
            snapshots = repository.due_snapshots(aggregates)
            if isinstance(rejection, Failed):
                # What broke down may have changed them: nobody may decide on that, not even before this is appended.
                repository.disown(aggregates)
            # 3. Append: all or none, and only if none of the streams has moved.
            with traced(f"append {context}"):
                receipt = await self._commits[context].append(
                    append, stands=lambda: isinstance(rejection, Failed) or all(aggregate.stands for aggregate in aggregates)
                )
        except BaseException:
            repository.disown(aggregates)
            raise
        if receipt.repeated:
            repository.disown(aggregates)
        elif rejection is None:
            repository.keep(snapshots)

        # 4. Answer.
        return receipt

    async def _precondition_failed(
        self, context: ContextName, issued: CommandEnvelope[Command], mark: bytes, ref: Ref, expected: ExpectedVersion
    ) -> Receipt:
        log = self._logs[context]
        first_answer = await log.receipt(issued.id, mark)
        if first_answer is not None:
            return first_answer
        version = await log.version(ref.stream)
        if not expected.allows(version):
            raise PreconditionFailed(f"the stream {ref.stream} is at version {version}, expected was {expected}")
        self._repositories[context].forget(ref.stream)
        raise Conflict("the remembered state was out of date")


def _decide(
    decision: Decision[Any], issued: CommandEnvelope[Command], aggregates: Sequence[Aggregate], record_failure: bool
) -> Rejected | None:
    for aggregate in aggregates:
        aggregate.decided_at = issued.at
    try:
        decision.decide(issued, *aggregates)
    except Rejected as rejection:
        if any(aggregate.take_recorded() for aggregate in aggregates):
            raise Misconfigured(f"{decision.command.__name__} was rejected after events had been recorded") from rejection
        return rejection
    except Exception as error:
        for aggregate in aggregates:
            aggregate.take_recorded()
        if not record_failure:
            raise
        _log.exception("a decision broke down", command=decision.command.__name__, id=str(issued.id))
        return Failed(f"the decision broke down: {type(error).__name__}: {error}")
    return None


@lru_cache(maxsize=1000)
def _counter(command: str, outcome: str) -> Counter:
    return COMMANDS.labels(command, outcome)


def _metadata(issued: CommandEnvelope[Command]) -> Metadata:
    return Metadata(
        command_id=issued.id,
        command=issued.data.message_name,
        correlation_id=issued.correlation_id,
        causation_id=issued.causation_id,
        actor=issued.actor,
        traceparent=issued.traceparent,
    )


def _answer(rejected: Rejected, issued: CommandEnvelope[Command]) -> Rejection:
    return Rejection(rejected.kind, rejected.detail, issued.correlation_id)


def _rejected(rejection: Rejection) -> Rejected:
    # A kind of a system's own comes back as a plain rejection: its class may be gone when the answer is repeated.
    kinds: dict[str, type[Rejected]] = {AlreadyExists.kind: AlreadyExists, Failed.kind: Failed}
    return kinds.get(rejection.kind, Rejected)(rejection.detail, correlation_id=rejection.correlation_id)
