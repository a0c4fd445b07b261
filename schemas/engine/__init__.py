"""The engine's own system: the sagas of all other systems, and the erased data subjects."""

from schemas.access import Access
from schemas.engine import privacy, saga_views, sagas
from schemas.system import ENGINE, Context, System

SYSTEM = System(
    name=ENGINE,
    summary="The sagas of all systems: their inputs, commands and states. And the erased data subjects.",
    contexts=(
        Context(sagas.CONTEXT, commands=sagas.COMMANDS, events=sagas.EVENTS, audit=Access.to("auditor")),
        Context(
            privacy.CONTEXT, commands=privacy.COMMANDS, events=privacy.EVENTS, audit=Access.to("auditor", "privacy_officer")
        ),
    ),
    views=saga_views.VIEWS,
)
