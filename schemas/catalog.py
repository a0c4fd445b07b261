"""The catalog of the installed systems: the context and the class of each name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from schemas.access import Access
from schemas.errors import Misconfigured, NotFound
from schemas.integration import IncomingTopic, OutgoingTopic
from schemas.message import Command, Event
from schemas.system import ENGINE, Context, ContextName, System, check_system, stored_names
from schemas.upcasting import Upcaster, chains, upcast
from schemas.values.times import with_offsets
from schemas.view import View


@dataclass(slots=True)
class Catalog:
    """Every command, event, context and view of some systems, by name and by class.

    `of` raises `Misconfigured` for a declaration that cannot work: a name that is used twice, a missing upcaster.
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
        """Returns a catalog of exactly these systems."""
        catalog = cls()
        for system in systems:
            catalog._add(system)
        return catalog

    def _add(self, system: System) -> None:
        check_system(system)
        _once(self.systems, system.name, system, "system")
        for context in system.contexts:
            name = ContextName(system.name, context.name)
            _once(self.contexts, name, context, "context")
            for command in context.commands:
                _once(self._commands, (system.name, command.message_name), (name, command), "command")
                self._context_of[command] = name
            for event in context.events:
                for stored_name in stored_names(event):
                    _once(self._events, (name, stored_name), event, "event")
                self._context_of[event] = name
            for event_name, chain in chains(context.events, context.upcasters).items():
                self._upcasters[name, event_name] = chain
        for view in system.views:
            _once(self._views, (system.name, view.view_name), view, "view")

    def command(self, system: str, name: str) -> tuple[ContextName, type[Command]]:
        """Returns the context and class of a command; raises `NotFound`, with the known names."""
        try:
            return self._commands[system, name]
        except KeyError:
            pass
        if system not in self.systems:
            raise NotFound(f"there is no system {system!r}; {_known(system, self.systems)}")
        known = [own for (of_system, own), (_, one) in self._commands.items() if of_system == system and not one.internal]
        raise NotFound(f"there is no command {name!r} in {system!r}; {_known(name, known)}")

    def related(self, system: str) -> Iterator[ContextName]:
        """Returns the contexts whose events may lead to one another: a system's own, and the engine's with its sagas."""
        return (name for name in self.contexts if system == ENGINE or name.system in (system, ENGINE))

    def outgoing(self, context: ContextName) -> Sequence[OutgoingTopic]:
        """Returns what is published for other teams of a context's events."""
        return [one for one in self.systems[context.system].outgoing if self._context_of[one.event] == context]

    def incoming(self, context: ContextName) -> Sequence[IncomingTopic]:
        """Returns the topics on which other teams send commands of a context."""
        return [one for one in self.systems[context.system].incoming if self._context_of[one.command] == context]

    def names_of(self, context: ContextName, event: type[Event]) -> Iterator[str]:
        """Returns the names under which a context's log may hold an event, in any of its versions."""
        return (name for (of_context, name), one in self._events.items() if of_context == context and one is event)

    def roles(self) -> frozenset[str]:
        """Returns every role that a command, a view or a log of these systems names."""
        of_rows = [view.view_rows.all_rows for _, view in self.views() if view.view_rows is not None]
        return frozenset().union(*(access.roles for access in self._accesses()), *of_rows)

    def scopes(self) -> frozenset[str]:
        """Returns every scope that a command, a view or a log of these systems names."""
        return frozenset().union(*(access.scopes for access in self._accesses()))

    def _accesses(self) -> Iterator[Access]:
        declared = (
            *(command.command_access for _, command in self.commands()),
            *(view.view_access for _, view in self.views()),
            *(context.audit for context in self.contexts.values()),
        )
        return (access for access in declared if access is not None)

    def commands(self) -> Iterator[tuple[ContextName, type[Command]]]:
        """Returns every command of every system."""
        return iter(self._commands.values())

    def context_of(self, message: type[Command] | type[Event]) -> ContextName:
        """Returns the context of a message; raises `Misconfigured` if no system declares it."""
        try:
            return self._context_of[message]
        except KeyError:
            kind = "events" if issubclass(message, Event) else "commands"
            raise Misconfigured(
                f"{message.__name__} is not among the {kind} of any installed system: add it to the {kind} of its Context"
            ) from None

    def check_recorded(self, event: type[Event], context: ContextName) -> None:
        """Raises `Misconfigured` for an event that its context does not declare: no reader could decode it."""
        if self.context_of(event) != context:
            raise Misconfigured(f"{event.__name__} is not among the events of {context}: add it to the events of its Context")

    def event(self, context: ContextName, name: str) -> type[Event]:
        """Returns the class that reads a recorded event, by any name that it had; raises `Misconfigured`."""
        try:
            return self._events[context, name]
        except KeyError:
            raise Misconfigured(
                f"the log of {context} holds {name!r}, which the installed code does not know; declare it: a class that was "
                f"renamed has renamed_from=({name!r},), one that is not recorded any more retired=True"
            ) from None

    def stored_types(self, context: ContextName, names: Iterable[str]) -> tuple[str, ...]:
        """Returns every name under which a log may hold events of these names; raises `NotFound` for an unknown one."""
        found: dict[str, None] = {}
        for name in names:
            if (context, name) not in self._events:
                known = [event.message_name for event in self.context(context).events]
                raise NotFound(f"{context} has no event {name!r}; {_known(name, known)}")
            found |= dict.fromkeys(stored_names(self._events[context, name]))
        return tuple(found)

    def event_types(self, events: Iterable[type[Event]]) -> frozenset[tuple[ContextName, str]]:
        """Returns the context of each event with every name that it is stored under.

        Raises `Misconfigured` if no system declares one of the events.
        """
        return frozenset((self.context_of(event), name) for event in events for name in stored_names(event))

    def event_versions(self, events: Iterable[type[Event]]) -> dict[ContextName, frozenset[str]]:
        """Returns the names under which events are stored, each with its newest schema version (``Paid@2``), by context.

        Raises `Misconfigured` if no system declares one of the events.
        """
        found: dict[ContextName, set[str]] = {}
        for event in events:
            names = {f"{name}@{event.schema_version}" for name in stored_names(event)}
            found.setdefault(self.context_of(event), set()).update(names)
        return {context: frozenset(names) for context, names in found.items()}

    def read_event(self, context: ContextName, name: str, schema_version: int, data: str | bytes) -> Event:
        """Returns a recorded event as an instance of the current class, upcast from its recorded schema version.

        A time that was recorded without its offset is read as UTC. Raises `Misconfigured` if the installed code cannot read it.
        """
        event = self.event(context, name)
        try:
            if schema_version != event.schema_version:
                data = upcast(event, self._upcasters[context, event.message_name], schema_version, data)
            return with_offsets(event.model_validate_json(data))
        except Exception as error:
            raise Misconfigured(
                f"{name} of {context}, schema version {schema_version}, cannot be read by the installed code "
                f"(schema version {event.schema_version}): {error}"
            ) from error

    def context(self, name: ContextName) -> Context:
        """Returns a context's declaration; raises `NotFound`, with the known names."""
        try:
            return self.contexts[name]
        except KeyError:
            raise NotFound(f"there is no context {name}; {_known(str(name), map(str, self.contexts))}") from None

    def view(self, system: str, name: str) -> type[View]:
        """Returns a view's shape; raises `NotFound`, with the known names."""
        try:
            return self._views[system, name]
        except KeyError:
            pass
        if system not in self.systems:
            raise NotFound(f"there is no system {system!r}; {_known(system, self.systems)}")
        known = [own for of_system, own in self._views if of_system == system]
        raise NotFound(f"there is no view {name!r} in {system!r}; {_known(name, known)}")

    def context_of_view(self, view: type[View]) -> ContextName:
        """Returns the context on whose read side a view lives; raises `Misconfigured` if no system declares it."""
        for context, known in self.views():
            if known is view:
                return context
        raise Misconfigured(
            f"{view.__name__} is not among the views of any installed system: add it to the views of its System"
        )

    def views(self) -> Iterator[tuple[ContextName, type[View]]]:
        """Returns every view of every system, with the context on whose read side it lives."""
        for (system, _), view in self._views.items():
            yield ContextName(system, view.view_context), view


def _once(names: dict[Any, Any], name: Any, value: Any, what: str) -> None:
    if name in names:
        shown = name[-1] if type(name) is tuple else str(name)
        raise Misconfigured(f"the {what} {shown!r} is declared twice")
    names[name] = value


def _known(asked: str, names: Iterable[str]) -> str:
    known = sorted(names)
    near = get_close_matches(asked, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
