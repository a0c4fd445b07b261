"""Passwords: argon2id (RFC 9106, its profile for little memory), in threads, a few at a time."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret
from argon2.profiles import RFC_9106_LOW_MEMORY as PROFILE

from schemas.errors import Unavailable
from schemas.values.names import enforced_password

_MAX_CONCURRENT, _MAX_WAITING = 2, 16
"""Each takes 64 MiB and a core for a tenth of a second and more. Registrations cannot fill the queue of sign-ins."""


async def hashed(password: str, command_id: UUID) -> str:
    """Returns a password's hash. Its salt comes from the command's id, so that a repeated command is the same command.

    Raises `Unavailable` if too many others wait.
    """
    salt = hashlib.sha256(b"caudal password\n" + command_id.bytes).digest()[: PROFILE.salt_len]
    async with _queue().turn("register"):
        encoded = await asyncio.to_thread(
            hash_secret,
            password.encode(),
            salt,
            PROFILE.time_cost,
            PROFILE.memory_cost,
            PROFILE.parallelism,
            PROFILE.hash_len,
            Type.ID,
        )
    return encoded.decode()


async def is_password(hash: str | None, password: str) -> bool:
    """Returns whether a hash is that of a password, compared by RFC 8265.

    Takes as long without a hash, so that callers cannot learn who exists. Raises `Unavailable` if too many others wait.
    """
    try:
        password = enforced_password(password)
    except ValueError:
        hash = None  # nobody can have this password
    async with _queue().turn("sign in"):
        try:
            return await asyncio.to_thread(_verified, hash, password) and hash is not None
        except VerificationError:
            return False


class _Queue:
    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_MAX_CONCURRENT)
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, purpose: str) -> AsyncIterator[None]:
        if self._waiting[purpose] >= _MAX_WAITING:
            raise Unavailable("too many passwords are being checked")
        self._waiting[purpose] += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting[purpose] -= 1


@cache
def _queue() -> _Queue:
    return _Queue()


def _verified(hash: str | None, password: str) -> bool:
    return PasswordHasher().verify(hash or _nobodys(), password)


@cache
def _nobodys() -> str:
    return PasswordHasher.from_parameters(PROFILE).hash("nobody has this password")
