"""The engine's own system: the processes of all the others, and the data subjects that were erased."""

from schemas.access import Access
from schemas.catalog import Context, System
from schemas.engine import privacy, saga_views, sagas

SYSTEM = System(
    name=sagas.SYSTEM,
    summary="The processes of all systems: what each was told, what it asked for, how it stands. And who was erased.",
    contexts=(
        Context(sagas.CONTEXT, commands=sagas.COMMANDS, events=sagas.EVENTS, audit=Access.to("auditor")),
        Context(
            privacy.CONTEXT, commands=privacy.COMMANDS, events=privacy.EVENTS, audit=Access.to("auditor", "privacy_officer")
        ),
    ),
    views=saga_views.VIEWS,
)
