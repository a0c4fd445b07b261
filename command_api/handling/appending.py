"""Stage 6, appending: events, receipt and timers of one command, all or none, and only if none of its streams has changed.

A command that would record an event too large for its topic is rejected: the event would hold up its partition for ever. If
no client waits for the answer, it is a fault like one of the decision: a policy's event is parked, a timer tried again.
"""

from collections.abc import Mapping
from uuid import UUID

from command_api.handling.deciding import Decided
from command_api.handling.repository import Repository
from command_api.handling.request import NO_FINGERPRINT, CommandRequest
from command_api.handling.saga_timers import timer_changes
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope, Metadata, Receipt, Rejection
from schemas.errors import Failed, Rejected, TooLarge
from schemas.expected_version import NO_STREAM, ExpectedVersion
from schemas.message import Command
from schemas.system import ContextName
from streams.log.group_commit import GroupCommit
from streams.log.reading import Append, AppendableLog, Write
from streams.log.stored_events import check_publishable, encode
from streams.telemetry.tracing import traced


class ResultTooLarge(Exception):
    """A command that no client sent would record an event too large for its topic; nothing was recorded."""


class Appending:
    """Appends the results of decisions, and caches the states after them."""

    def __init__(
        self,
        catalog: Catalog,
        logs: Mapping[ContextName, AppendableLog],
        repositories: Mapping[ContextName, Repository],
        max_record_bytes: int,
    ) -> None:
        self._catalog, self._repositories, self._max_record_bytes = catalog, repositories, max_record_bytes
        self._commits = {context: GroupCommit(log, repositories[context].evict) for context, log in logs.items()}

    async def append(self, request: CommandRequest, decided: Decided) -> Receipt:
        """Appends a decision's result and returns the receipt, with its rejection if there is one.

        Nothing is awaited between the decision, the cache and the queue of the group commit. Raises `Conflict` if a stream
        has changed, `IdempotencyKeyReused` and `Unavailable`, and `ResultTooLarge` for a command of a policy or a timer.
        """
        repository = self._repositories[request.context]
        for change in decided.changes:
            for event in change.events:
                self._catalog.check_recorded(type(event), request.context)
        try:
            writes = self._writes(decided)
        except TooLarge as error:
            if request.command.policy is not None or type(request.command.data).internal:
                raise ResultTooLarge(error.detail) from error
            decided = decided.rejected(Rejected(error.detail))
            writes = self._writes(decided)
        append = Append(
            command_id=request.command.id,
            fingerprint=request.fingerprint,
            metadata=_metadata(request.command),
            writes=writes,
            rejection=None if decided.rejection is None else rejection_of(decided.rejection, request.command.correlation_id),
            timers=timer_changes(decided.changes),
        )
        snapshots = repository.remember(decided.changes, [sum(len(event.data) for event in write.events) for write in writes])
        with traced(f"append {request.context}"):
            receipt = await self._commits[request.context].append(append)
        if not receipt.repeated:
            repository.save(snapshots)
        return receipt

    async def reject(self, request: CommandRequest, rejected: Rejected) -> Receipt:
        """Appends the receipt of a command that is rejected before its decision, and nothing else."""
        return await self._append_rejection(
            request.context,
            request.command.id,
            request.fingerprint,
            rejection_of(rejected, request.command.correlation_id),
        )

    async def record_failure(self, context: ContextName, command_id: UUID, correlation_id: str, why: str) -> None:
        """Appends the receipt of a command that cannot be decided, so that its sender knows; raises `Unavailable`."""
        await self._append_rejection(context, command_id, NO_FINGERPRINT, Rejection(Failed.kind, why, correlation_id))

    def _writes(self, decided: Decided) -> tuple[Write, ...]:
        writes = tuple(
            Write(change.loaded.name, ExpectedVersion(change.loaded.version), tuple(map(encode, change.events)))
            for change in decided.changes
        )
        for write in writes:
            for event in write.events:
                check_publishable(event, self._max_record_bytes)
        return writes

    async def _append_rejection(
        self, context: ContextName, command_id: UUID, fingerprint: bytes, rejection: Rejection
    ) -> Receipt:
        return await self._commits[context].append(
            Append(
                command_id=command_id,
                fingerprint=fingerprint,
                metadata=Metadata(command_id=command_id, correlation_id=rejection.correlation_id),
                writes=(Write(f"undecided-{command_id}", NO_STREAM),),
                rejection=rejection,
            )
        )


def rejection_of(rejected: Rejected, correlation_id: str) -> Rejection:
    """Returns the rejection that a receipt keeps."""
    return Rejection(rejected.kind, rejected.detail, correlation_id)


def _metadata(command: CommandEnvelope[Command]) -> Metadata:
    return Metadata(
        command_id=command.id,
        command=command.data.message_name,
        correlation_id=command.correlation_id,
        causation_id=command.causation_id,
        actor=command.actor,
        traceparent=command.traceparent,
    )
