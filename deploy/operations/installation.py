"""An installation as operations see it: connections in every role of the database, each opened at its first use."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.console.endpoints import Endpoints
from deploy.operations.installed_subscriptions import InstalledSubscription, installed_subscriptions
from schemas.catalog import Catalog
from streams.database.pools import Databases, Role
from streams.discovery import installed_catalog
from streams.installation import Installation
from streams.settings import Settings

_CONNECTIONS: Mapping[Role, int] = {"caudal_reader": 4, "caudal_projector": 4, "caudal_writer": 2, "caudal_owner": 4}
"""Connections to each database, at most."""


class OpenInstallation:
    """The settings, the catalog and the connections of one process of an operator; closed at the end of its block."""

    def __init__(
        self,
        settings: Settings,
        stack: Callable[[], Endpoints | None] = lambda: None,
        public_keys: Sequence[Path] = (),
    ) -> None:
        """``stack`` returns the local stack that the settings lead to, once it runs; ``public_keys`` are files.

        Raises `Misconfigured` for systems that are not installed.
        """
        self.settings, self.public_keys, self._stack = settings, public_keys, stack
        self.catalog: Catalog = installed_catalog(settings.systems)
        self._within = {
            role: Installation(settings, self.catalog, Databases(role, size)) for role, size in _CONNECTIONS.items()
        }

    @property
    def stack(self) -> Endpoints | None:
        """The local stack that the settings lead to, if they lead to one that runs."""
        return self._stack()

    def within(self, role: Role) -> Installation:
        """Returns the installation with connections in one role."""
        return self._within[role]

    @cached_property
    def subscriptions(self) -> Sequence[InstalledSubscription]:
        """Every projection and policy; each connects in the role of the process that runs it."""
        return installed_subscriptions(self.within("caudal_projector"), self.within("caudal_writer"))

    async def close(self) -> None:
        """Closes every connection."""
        for installation in self._within.values():
            await installation.databases.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.close()
