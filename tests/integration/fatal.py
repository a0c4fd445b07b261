"""`python -m tests.integration.fatal SERVICE PORT CONTEXT POSITION`: one of Caudal's processes that dies of an event.

No exception shows it: the process exits while the event is being decoded, as with an upcaster that runs out of memory.
"""

import os
import sys
from typing import Any

import command_api.policies.reactions
import projectors.projector
from deploy.cli import app
from schemas.system import ContextName
from streams.log.stored_events import StoredEvent, decode

EXIT_CODE = 137


if __name__ == "__main__":
    _, service, port, at_context, at_position = sys.argv

    def decode_or_die(event: StoredEvent, context: ContextName, *catalog: Any) -> Any:
        if (str(context), event.position) == (at_context, int(at_position)):
            os._exit(EXIT_CODE)
        return decode(event, context, *catalog)

    rooms: tuple[Any, ...] = (projectors.projector, command_api.policies.reactions)
    for module in rooms:
        module.decode = decode_or_die
    sys.argv = ["caudal", "serve", service, "--port", port]
    app()
