"""Commands that a query sends: for systems that record who reads what."""

from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.requests import Request
from uuid_utils.compat import uuid7

from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from streams.commands.sender import CommandSender
from streams.http.request_context import caller_of, correlation_id
from streams.telemetry.tracing import current_traceparent


class CommandGateway:
    """Sends commands to the topics of their contexts, in the name of a request's caller."""

    def __init__(self, catalog: Catalog, sender: CommandSender) -> None:
        self._catalog, self._sender = catalog, sender

    async def send(self, request: Request, commands: Iterable[tuple[Command, str]]) -> None:
        """Sends commands, each with its key. Commands with the same key keep their order.

        Returns once the broker has stored all of them; the command worker handles them later. Raises `Unavailable`.
        """
        now = datetime.now(UTC)
        await self._sender.send(
            [(self._catalog.context_of(type(command)), _envelope(request, command, now), key) for command, key in commands]
        )

    async def close(self) -> None:
        """Closes the connection to the broker."""
        await self._sender.close()


def _envelope(request: Request, command: Command, now: datetime) -> CommandEnvelope[Command]:
    caller = caller_of(request)
    return CommandEnvelope(
        data=command,
        id=uuid7(),
        at=now,
        correlation_id=correlation_id(request),
        actor=None if caller is None else caller.subject,
        traceparent=current_traceparent(),
    )
