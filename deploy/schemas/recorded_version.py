"""The events that each subscription follows and the commands that each context knows, recorded with `caudal migrate`.

During a rolling deploy, processes of two versions share the checkpoints of a subscription. One that does not know an event, or
its newest schema version, must not move a checkpoint past it: so it is suspended unless it follows what is recorded
here. Workers of two versions share the commands topics: one leaves a command to the other version if that one alone knows it.
"""

from collections.abc import Mapping

from aggregates.system import saga_inputs, with_sagas
from projectors.discovery import installed
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.commands.known_commands import KnownCommands
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import declared_domains
from streams.installation import Installation
from streams.settings import Settings


async def record_version(settings: Settings, catalog: Catalog) -> list[str]:
    """Records the events of the installed subscriptions, and the commands of the contexts.

    Returns a line for each subscription and context that has changed. Raises `Unavailable`.
    """
    databases, done = Databases("caudal_owner", pool_size=2), []
    installation = Installation(settings, catalog, databases)
    try:
        for projection in installed(catalog):
            store = installation.view_store(projection.home)
            events = catalog.event_versions(projection.events)
            done += await _record(projection.full_name, dict.fromkeys(events, store), events)
        domains = with_sagas(declared_domains(catalog), catalog)
        for domain in domains.values():
            for policy in domain.policies:
                events = catalog.event_versions(policy.reactions)
                done += await _record(
                    policy.full_name, {context: installation.log_store(context) for context in events}, events
                )
        for context, known in KnownCommands.of_contexts(installation, saga_inputs(domains, catalog)).items():
            done += [f"{context}: commands"] if await known.record() else []
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
