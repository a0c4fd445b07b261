"""The engine's own system: the sagas of all other systems, the erased data subjects, and what operators did."""

from schemas.access import Access
from schemas.engine import operation_views, operations, privacy, saga_views, sagas
from schemas.system import ENGINE, Context, System

SYSTEM = System(
    name=ENGINE,
    summary="The sagas of all systems: their inputs, commands and states. The erased data subjects. What operators did.",
    contexts=(
        Context(sagas.CONTEXT, commands=sagas.COMMANDS, events=sagas.EVENTS, audit=Access.to("auditor")),
        Context(
            privacy.CONTEXT, commands=privacy.COMMANDS, events=privacy.EVENTS, audit=Access.to("auditor", "privacy_officer")
        ),
        Context(
            operations.CONTEXT,
            commands=operations.COMMANDS,
            events=operations.EVENTS,
            audit=Access.to("auditor"),
        ),
    ),
    views=(*saga_views.VIEWS, *operation_views.VIEWS),
)
