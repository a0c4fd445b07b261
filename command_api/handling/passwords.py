"""Passwords: argon2id (RFC 9106, its profile for little memory), in threads of their own, a few at a time."""

import asyncio
import base64
import hashlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret
from argon2.profiles import RFC_9106_LOW_MEMORY as PROFILE

from schemas.values.names import enforced_password
from streams.http.request_context import CLIENT
from streams.security.fair_turns import FairTurns
from streams.security.sign_in_limits import network_of

T = TypeVar("T")

_NICENESS = 10
_SALT, _HASH = (base64.b64encode(bytes(length)).rstrip(b"=").decode() for length in (PROFILE.salt_len, PROFILE.hash_len))
_OF_NOBODY = f"$argon2id$v=19$m={PROFILE.memory_cost},t={PROFILE.time_cost},p={PROFILE.parallelism}${_SALT}${_HASH}"
"""A hash that costs as much to verify as a user's."""


class Passwords:
    """Hashes and verifies passwords.

    Each takes 64 MiB and a core for a tenth of a second and more. Threads of low priority do it, so that requests without
    passwords are answered meanwhile. The waiting places are shared fairly between the addresses of clients, and those of
    registrations are not those of sign-ins.
    """

    def __init__(self, threads: int = 2, places: int = 64) -> None:
        self._threads = ThreadPoolExecutor(threads, "password", _lower_priority)
        self._turns = FairTurns(threads, places)

    async def hashed(self, password: str, command_id: UUID) -> str:
        """Returns a password's hash. Its salt comes from the command's id, so that a repeated command is the same command.

        Raises `Unavailable` if too many others wait.
        """
        salt = hashlib.sha256(b"caudal password\n" + command_id.bytes).digest()[: PROFILE.salt_len]

        def encoded() -> bytes:
            costs = (PROFILE.time_cost, PROFILE.memory_cost, PROFILE.parallelism, PROFILE.hash_len)
            return hash_secret(password.encode(), salt, *costs, Type.ID)

        return (await self._run("register", encoded)).decode()

    async def is_right(self, hash: str | None, password: str) -> bool:
        """Returns whether a hash is that of a password, compared by RFC 8265.

        Takes as long without a hash, so that callers cannot learn who exists. Raises `Unavailable` if too many others wait.
        """
        try:
            password = enforced_password(password)
        except ValueError:
            hash = None  # nobody can have this password

        def verified() -> bool:
            with suppress(VerificationError):
                return PasswordHasher().verify(hash or _OF_NOBODY, password)
            return False

        return await self._run("sign in", verified) and hash is not None

    def close(self) -> None:
        """Ends the threads after the passwords that they hash."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, purpose: str, work: Callable[[], T]) -> T:
        async with self._turns.turn(purpose, network_of(CLIENT.get())):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _lower_priority() -> None:
    if sys.platform == "linux":  # elsewhere it would be the priority of the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
