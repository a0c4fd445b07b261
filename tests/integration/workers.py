"""Topic workers as the worker's process makes them."""

from aggregates.system import saga_inputs, with_sagas
from command_api.composition import make_handler, open_logs
from command_api.handling.handler import CommandHandler
from command_api.topic_worker import TopicWorker
from schemas.catalog import Catalog
from streams.bounded_processes import BoundedProcesses
from streams.commands.notes import CommandNotes
from streams.database.pools import Databases
from streams.discovery import declared_domains
from streams.installation import Installation
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns


def topic_worker(
    settings: Settings, catalog: Catalog, databases: Databases, handler: CommandHandler | None = None
) -> TopicWorker:
    """Returns a topic worker with turns and a handler of its own, unless a handler is given."""
    if handler is None:
        handler = make_handler(settings, catalog, open_logs(settings, catalog, databases), databases, BoundedProcesses())
    sagas = saga_inputs(with_sagas(declared_domains(catalog), catalog), catalog)
    notes = CommandNotes.of_contexts(Installation(settings, catalog, databases), sagas)
    return TopicWorker(settings, catalog, handler, notes, Turns())
