"""Notes about the commands of a context, kept beside its log so that they outlast the process that makes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.system import ContextName
from streams.commands.handled_commands import HandledCommands
from streams.commands.known_commands import KnownCommands
from streams.installation import Installation
from streams.subscriptions.process_deaths.attempts import Attempts


@dataclass(frozen=True, slots=True)
class CommandNotes:
    """The notes about the commands of one context."""

    attempts: Attempts
    known: KnownCommands
    handled: HandledCommands

    @classmethod
    def of_contexts(
        cls, installation: Installation, sagas: Mapping[str, Iterable[str]]
    ) -> Mapping[ContextName, "CommandNotes"]:
        """Returns the notes of every context; ``sagas`` are the inputs that each saga knows, by its full name."""
        known = KnownCommands.of_contexts(installation, sagas)
        stores = {context: installation.log_store(context) for context in known}
        return {
            context: cls(Attempts(store, "commands"), known[context], HandledCommands(store))
            for context, store in stores.items()
        }
