"""Activities: what is done outside before a command is decided, and what came of it, which is what is decided."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aggregates.aggregate import Aggregate
from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C", bound=Command)


class Loading(Protocol):
    """Loads an aggregate as the log tells it now."""

    async def __call__(self, context: ContextName, aggregate: type[A], key: str) -> A: ...


@dataclass(frozen=True, slots=True)
class ActivityContext:
    """What an activity may reach."""

    settings: Settings
    keys: SubjectKeys
    load: Loading


@dataclass(frozen=True, slots=True)
class Activity(Generic[C]):
    """What one command has done; a package of your own registers a tuple of them as ``caudal.activities``.

    ``carry_out`` returns the command that is decided in the place of this one, of the same context, under the same id. It runs
    again where the process died before that was recorded: what it does must bear being done twice. What it raises goes to
    whoever sent the command; it should end by itself within seconds.
    """

    command: type[C]
    carry_out: Callable[[CommandEnvelope[C], ActivityContext], Awaitable[Command]]


def installed(catalog: Catalog) -> Mapping[type[Command], Activity[Any]]:
    """The activities of a catalog's systems, by their commands."""
    return {one.command: one for _, activities in catalog.registered("caudal.activities") for one in activities}


@dataclass(frozen=True, slots=True)
class ActivityDependencies:
    """What commands may need besides the logs: keys to encrypt with, and activities."""

    settings: Settings
    keys: SubjectKeys
    activities: Mapping[type[Command], Activity[Any]] = field(default_factory=dict)
