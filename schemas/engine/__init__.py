"""The engine's own system: the processes of all the others, and the data subjects that were forgotten."""

from schemas.access import Access
from schemas.catalog import Context, System
from schemas.engine import privacy, processes, sagas

SYSTEM = System(
    name=processes.SYSTEM,
    summary="The processes of all systems: what each was told, what it asked for, how it stands. And who was forgotten.",
    contexts=(
        Context(processes.CONTEXT, commands=processes.COMMANDS, events=processes.EVENTS, audit=Access.to("auditor")),
        Context(
            privacy.CONTEXT, commands=privacy.COMMANDS, events=privacy.EVENTS, audit=Access.to("auditor", "privacy_officer")
        ),
    ),
    views=sagas.VIEWS,
)
