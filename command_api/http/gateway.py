"""The desk: what a path of a system's own may ask of the write side besides handing a command in."""

from collections.abc import Iterable, Mapping

from starlette.requests import Request
from uuid_utils.compat import uuid7

from command_api.handling.activities import Loading
from command_api.handling.handler import CommandHandler
from command_api.http.request import issued
from schemas.envelope import Receipt
from schemas.message import Command
from streams.encryption.subject_keys import SubjectKeys
from streams.security.tokens import Token, TokenIssuer


class Desk:
    """Looks at aggregates, opens what is encrypted, handles commands and issues tokens."""

    def __init__(self, handler: CommandHandler, keys: SubjectKeys, issuer: TokenIssuer) -> None:
        self._handler, self._keys, self._issuer = handler, keys, issuer

    @property
    def load(self) -> Loading:
        """Loads an aggregate as the log tells it now."""
        return self._handler.load

    async def decrypted(self, encrypted: Iterable[str | None]) -> Mapping[str, str]:
        """Plain texts by what was encrypted; what nobody can open any more is missing."""
        return await self._keys.decrypted(text for text in encrypted if text is not None)

    async def handle(self, request: Request, command: Command) -> Receipt:
        """Handles a command that a request leads to; raises what the handler raises."""
        return await self._handler.handle(issued(request, command, uuid7()))

    def issue_token(self, subject: str, roles: Iterable[str] = (), scopes: Iterable[str] = ()) -> Token:
        """A token for somebody; raises `Misconfigured` where there is no key to sign with."""
        return self._issuer.issue(subject, roles, scopes)
