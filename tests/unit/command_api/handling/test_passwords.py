"""Passwords: hashed alike for a repeat, verified, and not for everybody at once."""

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from command_api.handling.passwords import Passwords
from schemas.errors import Unavailable
from streams.http.request_context import CLIENT


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    made = Passwords(threads=2, places=16)
    yield made
    made.close()


async def test_a_repeat_is_hashed_alike_and_another_command_differently(passwords: Passwords) -> None:
    id = uuid4()
    first = await passwords.hashed("password2", id)

    assert first.startswith("$argon2id$")
    assert await passwords.hashed("password2", id) == first
    assert await passwords.hashed("password2", uuid4()) != first
    assert await passwords.is_right(first, "password2")
    assert not await passwords.is_right(first, "password3")
    assert not await passwords.is_right(None, "")


async def test_a_password_of_nobody_costs_as_much_as_a_wrong_one(passwords: Passwords) -> None:
    hash = await passwords.hashed("password2", uuid4())

    async def cost(of: str | None) -> float:
        began = time.process_time()
        assert not await passwords.is_right(of, "password3")
        return time.process_time() - began

    costs = [(await cost(hash), await cost(None)) for _ in range(7)]
    known, unknown = (statistics.median(column) for column in zip(*costs, strict=True))

    assert unknown == pytest.approx(known, rel=0.3)


async def test_registrations_do_not_delay_sign_ins(passwords: Passwords) -> None:
    crowd = [asyncio.create_task(passwords.hashed("password2", uuid4())) for _ in range(40)]
    await asyncio.sleep(0)

    assert not await passwords.is_right(None, "x")
    assert sum(not task.done() for task in crowd) > 8, "the sign-in did not wait for all of them"
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 40 - 2 - 16


async def test_a_crowd_from_one_address_is_turned_away_and_another_address_gets_in(passwords: Passwords) -> None:
    async def from_address(address: str) -> bool:
        CLIENT.set(address)
        return await passwords.is_right(None, "x")

    crowd = [asyncio.create_task(from_address("203.0.113.9")) for _ in range(40)]
    await asyncio.sleep(0)
    others = [asyncio.create_task(from_address(f"198.51.100.{n}")) for n in range(3)]

    assert await asyncio.gather(*others) == [False] * 3
    assert sum(not task.done() for task in crowd) > 4, "the others did not wait for the crowd"
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 40 - 2 - 16 + 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_threads_of_low_priority_hash(passwords: Passwords) -> None:
    await passwords.is_right(None, "x")

    threads = [thread for thread in threading.enumerate() if thread.name.startswith("password")]
    assert {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in threads} == {10}
    assert os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id or 0) == 0


async def test_a_password_is_right_in_any_form_of_unicode_and_one_that_nobody_can_have_is_wrong(passwords: Passwords) -> None:
    hash = await passwords.hashed("contrase\u00f1a", uuid4())

    assert await passwords.is_right(hash, "contrasen\u0303a")
    for wrong in ("contrasena", "contrase\u00f1a\u200b", ""):
        assert not await passwords.is_right(hash, wrong)
