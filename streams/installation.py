"""An installation: the settings, the catalog and the database connections of one process."""

from dataclasses import dataclass

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import INTEGRATION_SCHEMA, KEYS_SCHEMA, LIMITS_SCHEMA, Store
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


def served_contexts(settings: Settings, catalog: Catalog) -> frozenset[ContextName]:
    """Returns the contexts whose commands and events this process handles: ``CAUDAL_CONTEXTS``, or all.

    Raises `Misconfigured` for a name that no installed context has.
    """
    if not settings.contexts:
        return frozenset(catalog.contexts)
    by_name = {str(name): name for name in catalog.contexts}
    if unknown := sorted(set(settings.contexts) - by_name.keys()):
        known = ", ".join(by_name)
        raise Misconfigured(f"CAUDAL_CONTEXTS names {', '.join(unknown)}, which is not installed; installed are {known}")
    return frozenset(by_name[name] for name in settings.contexts)


def keys_store(settings: Settings, databases: Databases) -> Store:
    """Returns the store of the data subjects' keys."""
    return Store(databases, settings.keys_dsn or settings.write_dsn, KEYS_SCHEMA)


def limits_store(settings: Settings, databases: Databases) -> Store:
    """Returns the store of the counters of rate limits."""
    return Store(databases, settings.write_dsn, LIMITS_SCHEMA)


def integration_store(settings: Settings, databases: Databases) -> Store:
    """Returns the store of the schemas of integration topics."""
    return Store(databases, settings.write_dsn, INTEGRATION_SCHEMA)
