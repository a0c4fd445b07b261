"""Rebuild: makes a new version of a view from the logs beside the live one, and puts it in its place.

The new version never overtakes the live one. At the end the live view's checkpoints are held for a moment, the new version is
brought to exactly those positions, and the two are compared and change places (`projectors.versions`).
"""

from collections.abc import Sequence
from typing import Any

from projectors.projection import Projection
from projectors.projector import Beside, Projector
from projectors.versions import Difference, Positions, VersionedView
from schemas.catalog import Catalog, ContextName
from schemas.view import View
from streams.database.pools import Databases
from streams.database.store import views_schema
from streams.installation import Installation
from streams.log.reading import PostgresLog, partition_events
from streams.settings import Settings
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch

_BATCH_SIZE = 2000


def total(positions: Positions) -> int:
    """All positions together: by that progress is measured."""
    return sum(position for at in positions.values() for position in at.values())


class Rebuild:
    """Rebuilds one view."""

    def __init__(
        self, settings: Settings, catalog: Catalog, system: str, projection: Projection[Any], databases: Databases
    ) -> None:
        """``databases`` are the owner's."""
        self.view = VersionedView(settings, catalog, system, projection, databases)
        self._settings, self._catalog, self._system, self._projection = settings, catalog, system, projection
        self._databases = databases
        installation = Installation(settings, catalog, databases)
        self._logs = {name: PostgresLog(installation.log_store(name), name) for name in catalog.contexts}

    @property
    def name(self) -> str:
        """The view's, with its system."""
        return self.view.name

    async def builder(self, table: str) -> Projector:
        """What fills the new version: a projector that stands for itself."""
        view: type[View] = self._projection.view
        home = ContextName(self._system, view.view_context)
        live = SubscriptionStore.at(
            self._settings,
            self._databases,
            self._settings.view_dsn(home),
            views_schema(home),
            self.name,
            self.view.contexts,
        )
        async with live.connection() as connection:
            decided = await live.dead_letters.decided(connection, open_too=False)
        beside = Beside(table, f"#{table}", decided)
        return Projector(self._settings, self._catalog, self._system, self._projection, self._databases, self._logs, beside)

    async def build(self, table: str, partitions: Sequence[tuple[ContextName, int, int]]) -> None:
        """Brings some partitions of a new version forward: context, partition, and the position up to which."""
        builder = await self.builder(table)
        for context, partition, up_to in partitions:
            position = await builder.position(context, partition)
            async for rows in partition_events(self._logs[context], partition, position, up_to, _BATCH_SIZE):
                await builder.take([Batch(context, partition, rows)])

    async def switch(self, table: str) -> Difference | None:
        """Completes the new version and puts it in the live one's place; see `VersionedView.switch`."""

        async def complete(goal: Positions) -> None:
            await self.build(
                table, [(context, partition, up_to) for context, at in goal.items() for partition, up_to in at.items()]
            )

        return await self.view.switch(table, complete)
