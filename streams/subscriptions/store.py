"""What a subscription keeps of itself in one schema: its checkpoints and its dead letters, moved and parked together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from schemas.catalog import ContextName
from streams.database.pools import Connection, Databases
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints
from streams.subscriptions.dead_letters import DeadLetters


@dataclass(frozen=True, slots=True)
class SubscriptionStore:
    """Beside a projection's view, or beside the log that a policy follows."""

    subscription: str
    contexts: frozenset[ContextName]
    """Those whose positions and dead letters are kept here."""
    dsn: str
    databases: Databases
    checkpoints: Checkpoints
    dead_letters: DeadLetters

    @classmethod
    def at(
        cls,
        settings: Settings,
        databases: Databases,
        dsn: str,
        schema: str,
        subscription: str,
        contexts: frozenset[ContextName],
    ) -> "SubscriptionStore":
        return cls(
            subscription,
            contexts,
            dsn,
            databases,
            Checkpoints(databases, dsn, schema, subscription),
            DeadLetters(databases, dsn, schema, subscription, settings.dead_letter_attempts, settings.max_dead_letters),
        )

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection to where both are kept."""
        async with self.databases.connection(self.dsn) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction where both are kept."""
        async with self.databases.transaction(self.dsn) as connection:
            yield connection
