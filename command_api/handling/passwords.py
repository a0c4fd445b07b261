"""Passwords: argon2id (RFC 9106, its profile for little memory), beside the loop and few at a time."""

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

_MAX_CONCURRENT, _MAX_WAITING = 2, 16
"""Each takes 64 MiB and a core for a tenth of a second and more. Those who register do not keep others from signing in."""


async def hashed(password: str, command_id: UUID) -> str:
    """A password's hash. Its salt comes from the command's id, so that a repeated command is the same command.

    Raises `Unavailable` where too many others wait for theirs.
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
    """Whether a hash is that of a password; takes as long where there is no hash, so that nobody learns who exists.

    Raises `Unavailable` where too many others wait for theirs.
    """
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
            raise Unavailable("too many passwords are being looked at")
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
