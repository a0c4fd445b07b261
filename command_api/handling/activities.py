"""Stage 3, activities: side effects before a decision; their result is the command that is decided."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aggregates.state import State
from aggregates.stream import Stream, StreamUse
from command_api.handling.request import CommandRequest
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Misconfigured
from schemas.expected_version import ANY_VERSION
from schemas.message import Command
from streams.bounded_processes import BoundedProcesses
from streams.discovery import declared_rows
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings

S = TypeVar("S", bound=State)
C = TypeVar("C", bound=Command)
NO_EXPECTATION = "If-Match and If-None-Match are not supported for commands with side effects"


class LoadState(Protocol):
    """Returns the state of a stream as the log has it now: the initial state if the stream does not exist."""

    async def __call__(self, stream: Stream[S], key: str) -> S: ...


@dataclass(frozen=True, slots=True)
class ActivityContext:
    """The settings, keys, states and processes that an activity may use."""

    settings: Settings
    keys: SubjectKeys
    load: LoadState
    processes: BoundedProcesses
    """For work whose cost depends on a client's data."""

    async def plain(self, encrypted: str | None) -> str | None:
        """Returns a plain text; ``None`` for none, and for that of an erased subject. Raises `Misconfigured`."""
        return None if encrypted is None else (await self.keys.decrypted([encrypted])).get(encrypted)


@dataclass(frozen=True, slots=True)
class Activity(Generic[C]):
    """The work before the decision on one command: ``ACTIVITIES`` in the system's package of this room is a tuple of these.

    ``perform`` returns the command that is decided in place of this one: of the same context, under the same id. It runs again
    if the process dies before the result is recorded, so its effect must be idempotent. The sender gets its errors. It
    should end within seconds.
    """

    command: type[C]
    perform: Callable[[CommandEnvelope[C], ActivityContext], Awaitable[Command]]
    has_side_effects: bool = True
    """``False`` for a mere computation. Commands with side effects have no expected version."""
    about: StreamUse[Any] | None = None
    """The stream that the command is about, if another command is decided in its place: accepted ones are handled in order."""


def installed(catalog: Catalog) -> Mapping[type[Command], Activity[Any]]:
    """Returns the activities of a catalog's systems, by their commands.

    Raises `Misconfigured` if a command has two, or if its context requires an expected version, which a command with side
    effects cannot have.
    """
    found: dict[type[Command], Activity[Any]] = {}
    for system, activities in declared_rows(catalog, "command_api", "ACTIVITIES").items():
        for one in activities:
            name = one.command.__name__
            if one.command in found:
                raise Misconfigured(f"{system} declares two activities for {name}: remove one of them")
            if one.has_side_effects and catalog.context(context := catalog.context_of(one.command)).requires_expected_version:
                raise Misconfigured(
                    f"{name} of {context} has an activity, and no expected version can be stated for it: remove "
                    "requires_expected_version from the context, or move the command to another one"
                )
            found[one.command] = one
    return found


@dataclass(frozen=True, slots=True)
class ActivityDependencies:
    """The dependencies of handling besides the logs: settings, keys of data subjects, processes, and activities."""

    settings: Settings
    keys: SubjectKeys
    processes: BoundedProcesses
    activities: Mapping[type[Command], Activity[Any]] = field(default_factory=dict)


class Activities:
    """Performs activities."""

    def __init__(self, dependencies: ActivityDependencies | None, load: LoadState) -> None:
        self._activities = {} if dependencies is None else dependencies.activities
        self._context = None
        if dependencies is not None:
            self._context = ActivityContext(dependencies.settings, dependencies.keys, load, dependencies.processes)

    def concern(self, command: type[Command]) -> bool:
        """Returns whether a command of this class has an activity before its decision."""
        return command in self._activities

    def has_side_effects(self, command: type[Command]) -> bool:
        """Returns whether a command of this class has side effects before its decision."""
        return command in self._activities and self._activities[command].has_side_effects

    def target(self, request: CommandRequest) -> tuple[str, str] | None:
        """Returns the name and the key of the stream that a command is about, if its activity says so."""
        activity = self._activities.get(type(request.command.data))
        if activity is None or activity.about is None or (key := activity.about.key_of(request.command)) is None:
            return None
        return activity.about.stream.name(key), key

    async def perform(self, request: CommandRequest) -> CommandRequest:
        """Performs a command's activity and returns the request with its result. Raises what the activity raises."""
        activity = self._activities[type(request.command.data)]
        if activity.has_side_effects and request.expected != ANY_VERSION:
            raise Invalid(NO_EXPECTATION)
        assert self._context is not None, "there are activities"
        return request.decided_as(await activity.perform(request.command, self._context))
