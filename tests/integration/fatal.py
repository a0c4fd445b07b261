"""`python -m tests.integration.fatal SERVICE PORT CONTEXT POSITION`: one of Caudal's processes that dies of an event.

`python -m tests.integration.fatal SERVICE PORT command ID`: one that dies of a command by topic.

No exception shows it: the process exits while the event is being decoded, as with an upcaster that runs out of memory, or while
the command is being handled.
"""

import os
import sys
from typing import Any

import command_api.policies.reactions
import projectors.projector
from command_api.topic_worker import TopicWorker
from deploy.cli import app
from schemas.system import ContextName
from streams.log.stored_events import StoredEvent, decode

EXIT_CODE = 137


if __name__ == "__main__":
    _, service, port, at_context, at_position = sys.argv

    def decode_or_die(event: StoredEvent, context: ContextName, *catalog: Any) -> Any:
        if (str(context), str(event.position)) == (at_context, at_position):
            os._exit(EXIT_CODE)
        return decode(event, context, *catalog)

    async def finish_or_die(self: TopicWorker, command: Any, *, is_known: bool) -> None:
        if (at_context, at_position) == ("command", str(command.id)):
            os._exit(EXIT_CODE)
        await finish(self, command, is_known=is_known)

    finish, worker = TopicWorker._finish, TopicWorker
    worker._finish = finish_or_die  # type: ignore[method-assign]
    rooms: tuple[Any, ...] = (projectors.projector, command_api.policies.reactions)
    for module in rooms:
        module.decode = decode_or_die
    sys.argv = ["caudal", "serve", service, "--port", port]
    app()
