"""Pools: what a session is set to, and what a database out of reach is reported as."""

import pytest

from schemas.errors import Misconfigured, Unavailable
from streams.database.pools import Databases

CLOSED = "postgresql://127.0.0.1:1/none"


def test_a_session_acts_in_its_role() -> None:
    assert Databases("caudal_reader", 1)._session_settings() == {
        "application_name": "caudal caudal_reader",
        "role": "caudal_reader",
        "caudal.session": "set",
    }
    assert Databases(None, 1)._session_settings() == {"application_name": "caudal owner", "caudal.session": "set"}


def test_the_writer_plans_its_statements_once() -> None:
    assert Databases("caudal_writer", 1)._session_settings()["plan_cache_mode"] == "force_generic_plan"


def test_only_a_session_that_repeats_its_work_does_not_wait_for_the_disk() -> None:
    assert Databases("caudal_projector", 1, durable=False)._session_settings()["synchronous_commit"] == "off"
    assert "synchronous_commit" not in Databases("caudal_projector", 1)._session_settings()


async def test_a_database_out_of_reach_is_named() -> None:
    databases = Databases(None, 1)

    with pytest.raises(Unavailable):
        async with databases.connection(CLOSED):
            pass
    assert "PostgreSQL is out of reach" in str(await databases.out_of_reach([CLOSED]))
    assert await databases.out_of_reach([]) is None
    await databases.close()


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:secret/word@127.0.0.1/none",
        "postgresql://user:secret#word@127.0.0.1/none",
        "postgresql://user:secret]word@127.0.0.1/none",
        "postgresql://127.0.0.1/none?sslmode=secret",
        "secret://127.0.0.1:5432/none",
    ],
)
async def test_a_dsn_that_cannot_be_used_is_no_outage_and_is_not_quoted(dsn: str) -> None:
    databases = Databases(None, 1)

    with pytest.raises(Misconfigured) as caught:
        await databases.pool(dsn)

    assert "secretword" not in caught.value.detail.replace("/", "").replace("#", "").replace("]", "")
    assert "user:" not in caught.value.detail
