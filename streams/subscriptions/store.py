"""Subscription store: the checkpoints and the dead letters of a subscription in one schema, changed in one transaction."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from schemas.system import ContextName
from streams.database.pools import Connection
from streams.database.store import Store
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints
from streams.subscriptions.dead_letters import DeadLetters


@dataclass(frozen=True, slots=True)
class SubscriptionStore:
    """Lies beside a projection's view, or beside the log that a policy follows."""

    subscription: str
    contexts: frozenset[ContextName]
    """The contexts whose positions and dead letters are kept here."""
    store: Store
    checkpoints: Checkpoints
    dead_letters: DeadLetters

    @classmethod
    def at(cls, settings: Settings, store: Store, subscription: str, contexts: frozenset[ContextName]) -> "SubscriptionStore":
        """Returns the store of a subscription in the schema of a view or of a log."""
        dead_letters = DeadLetters(store, subscription, settings.dead_letter_attempts, settings.max_dead_letters)
        return cls(subscription, contexts, store, Checkpoints(store, subscription), dead_letters)

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lends a connection to a block."""
        return self.store.connection()

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Lends a connection inside a transaction, which is committed unless the block raises."""
        return self.store.transaction()
