"""Rebuild of a view: builds a new version from the logs beside the live one, and puts it in its place.

The new version never overtakes the live one. At the end the live view's checkpoints are locked for a moment, the new version is
brought to exactly those positions, and the two are compared and change places (`projectors.versions`)::

    begin ─▶ build, build, …      by several processes, while the live view moves on
                   │ close to the live view
                   ▼
          switch:  lock the live checkpoints ─▶ build the rest ─▶ compare ─▶ rename the tables ─▶ commit
"""

from collections.abc import Sequence
from typing import Any

from projectors.projection import Projection
from projectors.projector import CandidateVersion, Projector
from projectors.versions import Difference, Positions, VersionedView
from schemas.system import ContextName
from streams.installation import Installation
from streams.log.reading import PostgresLog, partition_events
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscriber import Batch

_BATCH_SIZE = 2000


def total(positions: Positions) -> int:
    """Returns the sum of all positions, by which progress is measured."""
    return sum(position for partitions in positions.values() for position in partitions.values())


class Rebuild:
    """Rebuilds one view."""

    def __init__(self, installation: Installation, projection: Projection[Any]) -> None:
        """The installation's databases act in the owner's role, which may create and rename tables."""
        self.view = VersionedView(installation, projection)
        self._installation, self._projection = installation, projection
        self._logs = {name: PostgresLog(installation.log_store(name), name) for name in installation.catalog.contexts}

    @property
    def name(self) -> str:
        """``system.view``."""
        return self._projection.full_name

    async def builder(self, table: str) -> Projector:
        """Returns the projector that fills the new version."""
        views = self._installation.view_store(self._projection.home)
        live = SubscriptionStore.at(self._installation.settings, views, self.name, self.view.contexts)
        async with live.connection() as connection:
            resolutions = await live.dead_letters.resolutions(connection, with_open=False)
        return Projector(self._installation, self._projection, self._logs, CandidateVersion(table, resolutions))

    async def build(self, table: str, partitions: Sequence[tuple[ContextName, int, int]]) -> None:
        """Brings partitions of a new version forward: context, partition, and the position up to which."""
        builder = await self.builder(table)
        for context, partition, up_to in partitions:
            position = await builder.position(context, partition)
            async for events in partition_events(self._logs[context], partition, position, up_to, _BATCH_SIZE):
                await builder.handle([Batch(context, partition, events)])

    async def switch(self, table: str) -> Difference | None:
        """Completes the new version and puts it in the live one's place; see `VersionedView.switch`."""

        async def complete(goal: Positions) -> None:
            await self.build(
                table, [(context, partition, up_to) for context, at in goal.items() for partition, up_to in at.items()]
            )

        return await self.view.switch(table, complete)
