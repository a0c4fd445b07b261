"""Names of a deployment's topics."""

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.settings import Settings


class Topics:
    """The names ``<prefix>.<system>.<context>.events``, ``….commands``, ``….dead-letters`` and ``….signed-heads``.

    Integration topics have the names that other teams know, after a prefix of their own.
    """

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._prefix, self._integration_prefix = settings.topic_prefix, settings.integration_prefix
        self._contexts = {self.events(name): name for name in catalog.contexts}
        self._contexts |= {self.commands(name): name for name in catalog.contexts}

    def events(self, context: ContextName) -> str:
        """Returns the topic of a context's events."""
        return f"{self._prefix}.{context}.events"

    def commands(self, context: ContextName) -> str:
        """Returns the topic of a context's commands."""
        return f"{self._prefix}.{context}.commands"

    def dead_letters(self, context: ContextName) -> str:
        """Returns the topic of the dead letters of a context's events and commands."""
        return f"{self._prefix}.{context}.dead-letters"

    def signed_heads(self, context: ContextName) -> str:
        """Returns the topic of the signed heads of a context's log."""
        return f"{self._prefix}.{context}.signed-heads"

    def integration(self, name: str) -> str:
        """Returns the name of an integration topic in this deployment."""
        return f"{self._integration_prefix}{name}"

    def integration_dead_letters(self, name: str) -> str:
        """Returns the topic of the dead letters of an incoming integration topic."""
        return f"{self.integration(name)}.dead-letters"

    def context_of(self, topic: str) -> ContextName:
        """Returns the context whose events or commands a topic carries; raises `KeyError` for any other topic."""
        return self._contexts[topic]
