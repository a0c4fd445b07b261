"""Passwords: hashed alike for a repeat, verified, and not for everybody at once."""

import asyncio
from uuid import uuid4

from command_api.handling.passwords import hashed, is_password
from schemas.errors import Unavailable


async def test_a_repeat_is_hashed_alike_and_another_command_differently() -> None:
    id = uuid4()
    first = await hashed("password2", id)

    assert first.startswith("$argon2id$")
    assert await hashed("password2", id) == first
    assert await hashed("password2", uuid4()) != first
    assert await is_password(first, "password2")
    assert not await is_password(first, "password3")
    assert not await is_password(None, "nobody has this password")


async def test_registrations_do_not_delay_sign_ins() -> None:
    crowd = [asyncio.create_task(hashed("password2", uuid4())) for _ in range(40)]
    await asyncio.sleep(0)

    assert not await is_password(None, "x")
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 40 - 16


async def test_a_crowd_is_turned_away_before_it_takes_all_the_time() -> None:
    answers = await asyncio.gather(*(is_password(None, "x") for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(answer, Unavailable) for answer in answers) == 20 - 16
    assert not await is_password(None, "x")


async def test_a_password_is_right_in_any_form_of_unicode_and_one_that_nobody_can_have_is_wrong() -> None:
    hash = await hashed("contrase\u00f1a", uuid4())

    assert await is_password(hash, "contrasen\u0303a")
    for wrong in ("contrasena", "contrase\u00f1a\u200b", ""):
        assert not await is_password(hash, wrong)
