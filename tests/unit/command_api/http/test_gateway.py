"""The command gateway: what a system's own paths may do."""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request

from command_api.http.gateway import CommandGateway
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope
from streams.http.request_context import RequestContext


class Parts:
    """A handler, keys and an issuer of tokens that say what they were asked."""

    def __init__(self) -> None:
        self.handled: list[CommandEnvelope[Any]] = []

    async def handle(self, command: CommandEnvelope[Any]) -> None:
        self.handled.append(command)

    async def load(self, stream: object, key: str) -> str:
        return f"state of {key}"

    async def decrypted(self, texts: Iterable[str]) -> Mapping[str, str]:
        return {text: text.upper() for text in texts}

    def issue(self, subject: str, roles: Iterable[str], scopes: Iterable[str]) -> tuple[str, list[str], list[str]]:
        return subject, list(roles), list(scopes)


def gateway(parts: Parts) -> CommandGateway:
    return CommandGateway(parts, parts, parts, parts)  # type: ignore[arg-type]


async def test_a_command_is_handled_as_one_of_the_request() -> None:
    parts, scope = Parts(), {"type": "http", "method": "POST", "headers": [(b"x-actor", b"eva")], "client": ("127.0.0.1", 1)}
    context = RequestContext.open(scope)

    command = ReceiveData(partner_id="a", payload={})
    await gateway(parts).handle(Request(scope), command)

    (envelope,) = parts.handled
    assert (envelope.data, envelope.actor, envelope.correlation_id) == (command, "eva", context.correlation_id)
    assert envelope.id.version == 7


async def test_only_texts_that_are_there_are_decrypted() -> None:
    assert await gateway(Parts()).decrypted(["a", None, "b"]) == {"a": "A", "b": "B"}
    assert await gateway(Parts()).decrypted([None]) == {}


async def test_states_are_loaded_and_tokens_signed_by_its_parts() -> None:
    assert await gateway(Parts()).load(None, "a") == "state of a"  # type: ignore[arg-type]
    assert gateway(Parts()).issue_token("eva", ["nurse"]) == ("eva", ["nurse"], [])  # type: ignore[comparison-overlap]
