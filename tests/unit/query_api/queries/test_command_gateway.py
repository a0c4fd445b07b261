"""Commands that a query sends."""

from typing import Any
from uuid import UUID

from query_api.queries.command_gateway import CommandGateway
from schemas.access import Caller
from schemas.clinical_lab.results import RecordResultQuery
from schemas.system import ContextName
from streams.discovery import installed_catalog
from tests.unit.query_api.asking import request_of


class Sender:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.is_closed = False

    async def send(self, commands: list[Any]) -> None:
        self.sent += commands

    async def close(self) -> None:
        self.is_closed = True


async def test_commands_are_sent_in_the_callers_name_to_their_contexts() -> None:
    sender = Sender()
    gateway = CommandGateway(installed_catalog(), sender)  # type: ignore[arg-type]
    command = RecordResultQuery(result_id=UUID(int=7), queried_by="ana")

    await gateway.send(request_of(caller=Caller("ana"), x_correlation_id="c-1"), [(command, "7"), (command, "8")])

    assert [(context, key) for context, _, key in sender.sent] == [
        (ContextName("clinical_lab", "results"), "7"),
        (ContextName("clinical_lab", "results"), "8"),
    ]
    first, second = (envelope for _, envelope, _ in sender.sent)
    assert (first.data, first.actor, first.correlation_id) == (command, "ana", "c-1")
    assert first.id != second.id
    await gateway.close()
    assert sender.is_closed
