"""The command gateway: the parts of the write side that a system's own paths may use."""

from collections.abc import Iterable, Mapping

from starlette.requests import Request
from uuid_utils.compat import uuid7

from command_api.handling.activities import LoadState
from command_api.handling.handler import CommandHandler
from command_api.http.request import envelope_of
from schemas.envelope import Receipt
from schemas.message import Command
from streams.encryption.subject_keys import SubjectKeys
from streams.http.request_context import context_of
from streams.security.tokens import Token, TokenIssuer


class CommandGateway:
    """Reads states, decrypts texts, handles commands and issues tokens."""

    def __init__(self, handler: CommandHandler, keys: SubjectKeys, issuer: TokenIssuer) -> None:
        self._handler, self._keys, self._issuer = handler, keys, issuer

    @property
    def load(self) -> LoadState:
        """Returns the state of a stream as the log has it now."""
        return self._handler.load

    async def decrypted(self, encrypted: Iterable[str | None]) -> Mapping[str, str]:
        """Returns plain texts by the encrypted ones; those of erased subjects are missing."""
        return await self._keys.decrypted(text for text in encrypted if text is not None)

    async def handle(self, request: Request, command: Command) -> Receipt:
        """Handles a command that a request leads to; raises what the handler raises."""
        return await self._handler.handle(envelope_of(context_of(request), command, uuid7()))

    def issue_token(self, subject: str, roles: Iterable[str] = (), scopes: Iterable[str] = ()) -> Token:
        """Returns a token for a subject; raises `Misconfigured` if there is no key to sign with."""
        return self._issuer.issue(subject, roles, scopes)
