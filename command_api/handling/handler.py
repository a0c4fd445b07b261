"""Handles a command: the one way in which events are recorded.

                     the stages, in this order                      a module each

    1 idempotency    a command id is handled once                   idempotency.py
    2 encryption     passwords hashed, sensitive fields encrypted   encryption.py
    3 activities     side effects, if the command has any           activities.py
    4 loading        the states of the streams                      deciding.py, repository.py, cache.py
    5 deciding       the pure decision: events or a rejection       deciding.py
    6 appending      events, receipt and timers in one transaction  appending.py

Stages 4 to 6 run again if another process was faster (`Conflict`). A command that is rejected, at any stage, gets a receipt as
well: a repeat gets the same rejection.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

import structlog
from prometheus_client import Counter

from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domains, streams_of
from command_api.handling.activities import Activities, ActivityDependencies
from command_api.handling.appending import Appending
from command_api.handling.cache import StateCache
from command_api.handling.deciding import Deciding
from command_api.handling.encryption import Encryption
from command_api.handling.idempotency import Idempotency
from command_api.handling.passwords import Passwords
from command_api.handling.repository import Repository
from command_api.handling.request import CommandRequest, PreparedCommand
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope, Receipt, Rejection
from schemas.errors import (
    AlreadyExists,
    CaudalError,
    Conflict,
    Failed,
    Misconfigured,
    PreconditionFailed,
    Rejected,
)
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from schemas.message import Command
from schemas.system import ContextName
from streams.log.reading import AppendableLog
from streams.log.stored_events import MAX_RECORD_BYTES
from streams.telemetry.tracing import traced

S = TypeVar("S", bound=State)

_log = structlog.get_logger()

COMMANDS = Counter("caudal_commands", "Commands handled.", ["command", "outcome"])


class CommandHandler:
    """Decides commands on event-sourced streams and appends what they record, with a receipt for each command.

    ``logs`` has a log for each context whose commands are handled here. Safe for any number of commands at once.
    """

    def __init__(
        self,
        catalog: Catalog,
        domains: Domains,
        logs: Mapping[ContextName, AppendableLog],
        *,
        dependencies: ActivityDependencies | None = None,
        passwords: Passwords | None = None,
        conflict_retries: int = 5,
        cache_bytes: int = 64 * 1024 * 1024,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self._catalog, self._logs, self._conflict_retries = catalog, logs, conflict_retries
        cache = StateCache(cache_bytes)
        self._repositories = {context: Repository(log, catalog, cache) for context, log in logs.items()}
        self._context_of_stream = {
            stream: context for context, streams in streams_of(domains, catalog).items() for stream in streams.values()
        }
        self._idempotency = Idempotency(logs)
        is_seed = dependencies is not None and dependencies.settings.profile == "seed"
        self._encryption = Encryption(None if dependencies is None else dependencies.keys, passwords, is_seed=is_seed)
        self._activities = Activities(dependencies, self.load)
        self._deciding = Deciding(domains, self._repositories)
        self._appending = Appending(catalog, logs, self._repositories, max_record_bytes)
        for context, command in catalog.commands():
            if not self._deciding.concern(command) and not self._activities.concern(command):
                raise Misconfigured(
                    f"no decision is declared for the command {command.message_name!r} of {context}: add one to its DECISIONS"
                )

    async def handle(
        self, command: CommandEnvelope[Command], *, expected: ExpectedVersion = ANY_VERSION, is_known: bool = False
    ) -> Receipt:
        """Handles one command and returns its receipt; a repeated command gets its first receipt again.

        ``expected`` is what the sender expects of the command's stream. With ``is_known`` the receipt of
        an earlier command with this id is looked up first: many repeats about one stream are answered at once.

        Raises `Rejected` if a domain rule rejects the command, `PreconditionFailed`, `Conflict` if every attempt lost a race,
        `InProgress`, `IdempotencyKeyReused`, and `Unavailable` while the log is out of reach: then it is open whether the
        command was handled, and repeating it under the same id is safe. An error that the decision's code raises passes
        unchanged, and nothing is recorded.
        """
        context, name = self._catalog.context_of(type(command.data)), command.data.message_name
        with _counted(name) as outcome, traced(f"handle {context.system}.{name}", command.traceparent) as traceparent:
            if traceparent != command.traceparent:
                command = replace(command, traceparent=traceparent)
            request = CommandRequest(context, command, expected, is_known)
            with self._idempotency.claimed(request):
                receipt = await self._answer(request)
            if receipt.rejection is not None:
                raise _rejected(receipt.rejection)
            outcome.value = "repeated" if receipt.repeated else "accepted"
            return receipt

    async def prepare(self, command: CommandEnvelope[Command], *, is_new: bool) -> PreparedCommand:
        """Returns a command in the form in which it is sent to its topic, from where `handle` gets it.

        ``is_new`` says that no command can have had this id before: its receipt is not looked up. Raises `Rejected` if its data
        subject was erased, `IdempotencyKeyReused` if another command with this id was handled, and `Unavailable`.
        """
        context = self._catalog.context_of(type(command.data))
        request = await self._encryption.apply(CommandRequest(context, command, ANY_VERSION))
        is_repeat = not is_new and await self._idempotency.first_answer(request) is not None
        target = self._activities.target(request) or self._deciding.target(request)
        return PreparedCommand(context, request.command, *target, is_repeat)

    async def known(self, context: ContextName, ids: Iterable[UUID]) -> set[UUID]:
        """Returns which of some command ids have receipts; raises `Unavailable`."""
        return set(await self._logs[context].answers(ids))

    def has_side_effects(self, command: type[Command]) -> bool:
        """Returns whether a command of this class has side effects before its decision."""
        return self._activities.has_side_effects(command)

    async def record_failure(self, context: ContextName, command_id: UUID, correlation_id: str, why: str) -> None:
        """Appends the receipt of a command that cannot be decided, so that its sender knows; raises `Unavailable`."""
        await self._appending.record_failure(context, command_id, correlation_id, why)

    async def load(self, stream: Stream[S], key: str) -> S:
        """Returns the state of a stream as the log has it now, for callers who only read it; raises `Unavailable`."""
        context = self._context_of_stream[stream]
        loaded = await self._repositories[context].load(stream, key)
        if loaded.version != await self._logs[context].version(loaded.name):
            self._repositories[context].evict([loaded.name])
            loaded = await self._repositories[context].load(stream, key)
        assert isinstance(loaded.state, stream.state)
        state: S = loaded.state
        return state

    async def _answer(self, request: CommandRequest) -> Receipt:
        try:
            request = await self._encryption.apply(request)
            has_activity = self._activities.concern(type(request.command.data))
            if (has_activity or request.is_known) and (receipt := await self._idempotency.first_answer(request)) is not None:
                return receipt
            if has_activity:
                request = await self._activities.perform(request)
        except Rejected as rejected:
            return await self._idempotency.first_answer(request) or await self._appending.reject(request, rejected)
        return await self._decide_and_append(request)

    async def _decide_and_append(self, request: CommandRequest) -> Receipt:
        for attempt in range(1, self._conflict_retries + 2):
            try:
                streams = await self._deciding.load(request, is_first_attempt=attempt == 1)
                if streams[0] is not None and not request.expected.allows(streams[0].version):
                    return await self._precondition_failed(request, streams[0].name)
                return await self._appending.append(request, self._deciding.decide(request, streams))
            except Conflict as conflict:
                if attempt > self._conflict_retries:
                    raise
                _log.debug("command decided again", id=str(request.command.id), attempt=attempt, error=conflict.detail)
        raise AssertionError("the last attempt returns or raises")

    async def _precondition_failed(self, request: CommandRequest, stream: str) -> Receipt:
        """Returns the first receipt of a repeat; raises `PreconditionFailed`, or `Conflict` if the cached state was too old."""
        if (receipt := await self._idempotency.first_answer(request)) is not None:
            return receipt
        version = await self._logs[request.context].version(stream)
        if not request.expected.allows(version):
            raise PreconditionFailed(f"the stream {stream} is at version {version}, expected was {request.expected}")
        self._repositories[request.context].evict([stream])
        raise Conflict("the cached state was out of date")


class _Outcome:
    value = "failed"


@contextmanager
def _counted(command: str) -> Iterator[_Outcome]:
    outcome = _Outcome()
    try:
        yield outcome
    except CaudalError as error:
        outcome.value = error.kind
        raise
    finally:
        _counter(command, outcome.value).inc()


@lru_cache(maxsize=1000)
def _counter(command: str, outcome: str) -> Counter:
    return COMMANDS.labels(command, outcome)


def _rejected(rejection: Rejection) -> Rejected:
    # A kind of a system's own comes back without its class, which may be gone when the answer is repeated.
    kinds: dict[str, type[Rejected]] = {AlreadyExists.kind: AlreadyExists, Failed.kind: Failed}
    rejected = kinds.get(rejection.kind, Rejected)(rejection.detail, correlation_id=rejection.correlation_id)
    return rejected.of_kind(rejection.kind)
