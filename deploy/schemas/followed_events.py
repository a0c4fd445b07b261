"""The events that each subscription follows, recorded with `caudal migrate`.

During a rolling deploy, processes of two versions share the checkpoints of a subscription. One that does not know an event, or
its newest schema version, must not move a checkpoint past it: so it is suspended unless it follows what is recorded here.
"""

from collections.abc import Mapping

from aggregates.system import with_sagas
from projectors.discovery import installed
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import declared_domains
from streams.installation import Installation
from streams.settings import Settings


async def record_followed_events(settings: Settings, catalog: Catalog) -> list[str]:
    """Records the events of the installed subscriptions; returns a line for each that has changed. Raises `Unavailable`."""
    databases, done = Databases("caudal_owner", pool_size=2), []
    installation = Installation(settings, catalog, databases)
    try:
        for projection in installed(catalog):
            store = installation.view_store(projection.home)
            events = catalog.event_versions(projection.events)
            done += await _record(projection.full_name, dict.fromkeys(events, store), events)
        for domain in with_sagas(declared_domains(catalog), catalog).values():
            for policy in domain.policies:
                events = catalog.event_versions(policy.reactions)
                done += await _record(
                    policy.full_name, {context: installation.log_store(context) for context in events}, events
                )
    finally:
        await databases.close()
    return done


async def _record(
    subscription: str, stores: Mapping[ContextName, Store], events: Mapping[ContextName, frozenset[str]]
) -> list[str]:
    changed = [
        context
        for context, store in stores.items()
        if await store.fetchrow("followed_events_set", subscription, str(context), sorted(events[context])) is not None
    ]
    return [f"{subscription}: events of {', '.join(map(str, sorted(changed)))}"] if changed else []
