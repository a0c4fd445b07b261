"""Stage 3, activities: side effects before a decision; their result is the command that is decided."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aggregates.state import State
from aggregates.stream import Stream
from command_api.handling.request import CommandRequest
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Misconfigured
from schemas.expected_version import ANY_VERSION
from schemas.message import Command
from streams.discovery import declared_rows
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings

S = TypeVar("S", bound=State)
C = TypeVar("C", bound=Command)


class LoadState(Protocol):
    """Returns the state of a stream as the log has it now: the initial state if the stream does not exist."""

    async def __call__(self, stream: Stream[S], key: str) -> S: ...


@dataclass(frozen=True, slots=True)
class ActivityContext:
    """The settings, keys and states that an activity may use."""

    settings: Settings
    keys: SubjectKeys
    load: LoadState


@dataclass(frozen=True, slots=True)
class Activity(Generic[C]):
    """The side effect of one command: ``ACTIVITIES`` in the system's package of this room is a tuple of these.

    ``perform`` returns the command that is decided in place of this one: of the same context, under the same id. It runs again
    if the process dies before the result is recorded, so its effect must be idempotent. The sender gets its errors. It
    should end within seconds.
    """

    command: type[C]
    perform: Callable[[CommandEnvelope[C], ActivityContext], Awaitable[Command]]


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
            if catalog.context(context := catalog.context_of(one.command)).requires_expected_version:
                raise Misconfigured(
                    f"{name} of {context} has an activity, and no expected version can be stated for it: remove "
                    "requires_expected_version from the context, or move the command to another one"
                )
            found[one.command] = one
    return found


@dataclass(frozen=True, slots=True)
class ActivityDependencies:
    """The dependencies of handling besides the logs: settings, keys of data subjects, and activities."""

    settings: Settings
    keys: SubjectKeys
    activities: Mapping[type[Command], Activity[Any]] = field(default_factory=dict)


class Activities:
    """Performs activities."""

    def __init__(self, dependencies: ActivityDependencies | None, load: LoadState) -> None:
        self._activities = {} if dependencies is None else dependencies.activities
        self._context = None if dependencies is None else ActivityContext(dependencies.settings, dependencies.keys, load)

    def concern(self, command: type[Command]) -> bool:
        """Returns whether a command of this class has side effects before its decision."""
        return command in self._activities

    async def perform(self, request: CommandRequest) -> CommandRequest:
        """Performs a command's activity and returns the request with its result. Raises what the activity raises."""
        if request.expected != ANY_VERSION:
            raise Invalid("If-Match and If-None-Match are not supported for commands with side effects")
        assert self._context is not None, "there are activities"
        activity = self._activities[type(request.command.data)]
        return request.decided_as(await activity.perform(request.command, self._context))
