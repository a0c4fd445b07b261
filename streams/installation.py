"""An installation: the settings, the catalog and the database connections of one process."""

from dataclasses import dataclass

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import KEYS_SCHEMA, LIMITS_SCHEMA, Store
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """Knows in which database and schema everything is."""

    settings: Settings
    catalog: Catalog
    databases: Databases

    def log_store(self, context: ContextName) -> Store:
        """Returns the store of a context's log."""
        return Store.of_log(self.databases, self.settings.log_dsn(context), context)

    def view_store(self, context: ContextName) -> Store:
        """Returns the store of a context's views."""
        return Store.of_views(self.databases, self.settings.view_dsn(context), context)

    @property
    def keys_store(self) -> Store:
        """The store of the data subjects' keys."""
        return keys_store(self.settings, self.databases)

    @property
    def limits_store(self) -> Store:
        """The store of the counters of rate limits."""
        return limits_store(self.settings, self.databases)


def keys_store(settings: Settings, databases: Databases) -> Store:
    """Returns the store of the data subjects' keys."""
    return Store(databases, settings.keys_dsn or settings.write_dsn, KEYS_SCHEMA)


def limits_store(settings: Settings, databases: Databases) -> Store:
    """Returns the store of the counters of rate limits."""
    return Store(databases, settings.write_dsn, LIMITS_SCHEMA)
