"""The command gateway: the parts of the write side that a system's own paths may use."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.requests import Request
from uuid_utils.compat import uuid7

from command_api.handling.activities import LoadState
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from command_api.http.request import envelope_of
from schemas.envelope import Receipt
from schemas.errors import Unauthenticated
from schemas.message import Command
from streams.encryption.subject_keys import SubjectKeys
from streams.http.request_context import context_of
from streams.security.sign_in_limits import SignInLimits
from streams.security.tokens import Token, TokenIssuer

FindHash = Callable[[], Awaitable[str | None]]


class SignIns:
    """Sign-ins with a password, whose failures are limited."""

    def __init__(self, limits: SignInLimits, passwords: Passwords) -> None:
        self._limits, self._passwords = limits, passwords

    async def check(self, request: Request, account: str, password: str, find_hash: FindHash) -> None:
        """Returns if the password is that of an account, whose hash ``find_hash`` returns, or ``None`` without an account.

        Takes as long without an account, and counts for as much. Raises `Unauthenticated` if the password is wrong,
        `SignInsBlocked` while the account or the request's address is blocked, and `Unavailable`.
        """
        async with self._limits.attempt(account, context_of(request).client):
            if not await self._passwords.is_right(await find_hash(), password):
                raise Unauthenticated("there is no user with this name and password", had_token=False)


class CommandGateway:
    """Reads states, decrypts texts, handles commands, checks passwords and issues tokens."""

    def __init__(self, handler: CommandHandler, keys: SubjectKeys, issuer: TokenIssuer, sign_ins: SignIns) -> None:
        self._handler, self._keys, self._issuer = handler, keys, issuer
        self.sign_ins = sign_ins

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
