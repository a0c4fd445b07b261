"""The systems that are installed: which contexts each has, and which name means which class."""

import re
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from schemas.access import Access
from schemas.errors import Misconfigured, NotFound
from schemas.message import Command, Event
from schemas.sensitive import encrypted_fields, misplaced, sensitive_fields
from schemas.upcasting import Upcaster, chains, upcast
from schemas.view import View

ENGINE = "engine"
"""The engine's own system, which is part of every installation."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")


class ContextName(NamedTuple):
    """A bounded context's full name: ``system.context``."""

    system: str
    context: str

    @classmethod
    def parse(cls, text: str) -> "ContextName":
        """Reads ``system.context``; raises `NotFound` for anything else."""
        system, dot, context = text.partition(".")
        if not (system and dot and context):
            raise NotFound(f"{text!r} is not a context's name; one reads like data_ingestion.ingestion")
        return cls(system, context)

    def __str__(self) -> str:
        return f"{self.system}.{self.context}"


@dataclass(frozen=True, slots=True)
class Context:
    """The published language of one bounded context."""

    name: str
    commands: tuple[type[Command], ...] = ()
    events: tuple[type[Event], ...] = ()
    upcasters: tuple[Upcaster, ...] = ()
    """How events of earlier schema versions are read: one for each step of each event."""
    partitions: int = 4
    """Partitions of its topics, fixed when its log is made."""
    requires_expected_version: bool = False
    """Whether commands over HTTP must say, by ``If-Match`` or ``If-None-Match``, what they expect of their stream."""
    audit: Access | None = None
    """Who may look into its log over HTTP; ``None``: everybody. What is sensitive in it is encrypted for them, too."""


@dataclass(frozen=True, slots=True)
class System:
    """One system: its contexts and its views. What a package of your own registers as ``caudal.schemas``."""

    name: str
    contexts: tuple[Context, ...]
    views: tuple[type[View], ...] = ()
    summary: str = ""


@dataclass(slots=True)
class Catalog:
    """Every name of every installed system, both ways.

    Raises `Misconfigured` while it is made where a name is used twice within a system, or an upcaster is missing.
    """

    systems: dict[str, System] = field(default_factory=dict)
    contexts: dict[ContextName, Context] = field(default_factory=dict)
    _commands: dict[tuple[str, str], tuple[ContextName, type[Command]]] = field(default_factory=dict)
    _context_of: dict[type[Command] | type[Event], ContextName] = field(default_factory=dict)
    _events: dict[tuple[ContextName, str], type[Event]] = field(default_factory=dict)
    _upcasters: dict[tuple[ContextName, str], tuple[Upcaster, ...]] = field(default_factory=dict)
    _views: dict[tuple[str, str], type[View]] = field(default_factory=dict)

    @classmethod
    def of(cls, systems: Iterable[System]) -> "Catalog":
        """A catalog of exactly these systems."""
        catalog = cls()
        for system in systems:
            catalog._add(system)
        return catalog

    @classmethod
    def installed(cls, systems: Collection[str] = ()) -> "Catalog":
        """A catalog of these systems and the engine's own; without any, of every system that an installed package registers.

        Raises `Misconfigured` where one is not installed.
        """
        only = {*systems, ENGINE} if systems else None
        catalog = cls.of(_named(name, system) for name, system in registered("caudal.schemas", only))
        if unknown := set(systems) - catalog.systems.keys():
            raise Misconfigured(f"CAUDAL_SYSTEMS names what is not installed: {', '.join(sorted(unknown))}")
        return catalog

    def registered(self, group: str) -> Iterator[tuple[str, Any]]:
        """What the packages of these systems register under an entry-point group, by system name in alphabetical order."""
        return registered(group, self.systems)

    def _add(self, system: System) -> None:
        _once(self.systems, _sound(system.name), system, "system")
        _tuples(system.name, contexts=system.contexts, views=system.views)
        for context in system.contexts:
            name = ContextName(system.name, _sound(context.name))
            _tuples(str(name), commands=context.commands, events=context.events, upcasters=context.upcasters)
            _once(self.contexts, name, context, "context")
            for command in context.commands:
                _once(self._commands, (system.name, command.message_name), (name, command), "command")
                if fields := list(misplaced(command)):
                    raise Misconfigured(
                        f"{command.__name__} marks what is inside of {', '.join(fields)}: only whole fields can be Sensitive "
                        "or a Password, as in Annotated[str | None, Sensitive()]"
                    )
                if command.command_subject is None and (fields := list(sensitive_fields(command))):
                    raise Misconfigured(
                        f"{command.__name__} does not say whose its {', '.join(fields)} are: it needs a subject"
                    )
                self._context_of[command] = name
            for event in context.events:
                _once(self._events, (name, event.message_name), event, "event")
                self._context_of[event] = name
            for event_name, chain in chains(context.events, context.upcasters).items():
                self._upcasters[name, event_name] = chain
        for view in system.views:
            _once(self._views, (system.name, _sound(view.view_name)), view, "view")
            if view.view_subject is None and (fields := list(encrypted_fields(view))):
                raise Misconfigured(f"{view.__name__} does not say whose its {', '.join(fields)} are: it needs a subject")
            if ContextName(system.name, view.view_context) not in self.contexts:
                raise Misconfigured(
                    f"view {view.view_name!r} of {system.name!r} lives in no known context: {view.view_context!r}"
                )

    def command(self, system: str, name: str) -> tuple[ContextName, type[Command]]:
        """The context and class of a command; raises `NotFound`."""
        try:
            return self._commands[system, name]
        except KeyError:
            raise NotFound(f"there is no command {name!r} in {system!r}") from None

    def related(self, system: str) -> Iterator[ContextName]:
        """The contexts whose events may lead to one another: a system's own, and the engine's, through which processes go."""
        return (name for name in self.contexts if system == ENGINE or name.system in (system, ENGINE))

    def roles(self) -> frozenset[str]:
        """Every role that something of these systems is for."""
        accesses = [
            *(command.command_access for _, command in self.commands()),
            *(view.view_access for _, view in self.views()),
            *(context.audit for context in self.contexts.values()),
        ]
        of_rows = [view.view_rows.all_rows for _, view in self.views() if view.view_rows is not None]
        return frozenset().union(*(access.roles for access in accesses if access is not None), *of_rows)

    def commands(self) -> Iterator[tuple[ContextName, type[Command]]]:
        """Every command of every system."""
        return iter(self._commands.values())

    def context_of(self, message: type[Command] | type[Event]) -> ContextName:
        """The context to which a message belongs; raises `Misconfigured` where no system declares it."""
        try:
            return self._context_of[message]
        except KeyError:
            raise Misconfigured(f"no installed system declares {message.__name__}") from None

    def event_types(self, events: Iterable[type[Event]]) -> frozenset[tuple[ContextName, str]]:
        """Returns the context and the name of each event; raises `Misconfigured` if no system declares one."""
        return frozenset((self.context_of(event), event.message_name) for event in events)

    def event(self, context: ContextName, name: str) -> type[Event]:
        """The class of a recorded event; raises `Misconfigured` where the installed code does not know it."""
        try:
            return self._events[context, name]
        except KeyError:
            raise Misconfigured(f"the log of {context} holds {name!r}, which the installed code does not know") from None

    def read_event(self, context: ContextName, name: str, schema_version: int, data: str | bytes) -> Event:
        """A recorded event as today's class, brought up from the schema version with which it was recorded.

        Raises `Misconfigured` where the installed code cannot read it.
        """
        event = self.event(context, name)
        try:
            if schema_version != event.schema_version:
                data = upcast(event, self._upcasters[context, name], schema_version, data)
            return event.model_validate_json(data)
        except Exception as error:
            raise Misconfigured(
                f"{name} of {context}, schema version {schema_version}, cannot be read by the installed code "
                f"(schema version {event.schema_version}): {error}"
            ) from error

    def context(self, name: ContextName) -> Context:
        """A context's declaration; raises `NotFound`."""
        try:
            return self.contexts[name]
        except KeyError:
            raise NotFound(f"there is no context {name}") from None

    def view(self, system: str, name: str) -> type[View]:
        """A view's shape; raises `NotFound`."""
        try:
            return self._views[system, name]
        except KeyError:
            raise NotFound(f"there is no view {name!r} in {system!r}") from None

    def views(self) -> Iterator[tuple[ContextName, type[View]]]:
        """Every view of every system, with the context on whose read side it lives."""
        for (system, _), view in self._views.items():
            yield ContextName(system, view.view_context), view


def registered(group: str, only: Container[str] | None = None) -> Iterator[tuple[str, Any]]:
    """What the installed packages register under an entry-point group, by name in alphabetical order; ``only`` some of it.

    A system of one's own is found exactly as the built-in ones are.
    """
    found = {point.name: point for point in entry_points(group=group)}
    for name in sorted(found):
        if only is None or name in only:
            yield name, found[name].load()


def _sound(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Misconfigured(f"{name!r} is no name for a system, a context or a view: one reads like data_ingestion")
    return name


def _once(names: dict[Any, Any], name: Any, value: Any, what: str) -> None:
    if name in names:
        shown = name[-1] if type(name) is tuple else str(name)
        raise Misconfigured(f"the {what} {shown!r} is declared twice")
    names[name] = value


def _named(name: str, system: System) -> System:
    if system.name != name:
        raise Misconfigured(f"the entry point {name!r} registers a system that calls itself {system.name!r}")
    return system


def _tuples(owner: str, **declared: Any) -> None:
    for what, found in declared.items():
        if not isinstance(found, tuple):
            raise Misconfigured(f"the {what} of {owner} are no tuple; is a comma missing?")
