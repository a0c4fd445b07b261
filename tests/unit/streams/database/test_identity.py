"""The identity of a database: after a failover or a restore a process starts over, and uses no connection before."""

import pytest

from schemas.errors import Unavailable
from streams.database.identity import Identities, Identity

FIRST = Identity(7, "00000001", 16384)
PROMOTED = FIRST._replace(timeline="00000002")


@pytest.fixture
def noticed() -> list[int]:
    return []


@pytest.fixture
def identities(noticed: list[int]) -> Identities:
    found = Identities()
    found.start_over = lambda: noticed.append(1)
    return found


def test_no_connection_to_another_database_is_used_and_the_process_starts_over_once(
    identities: Identities, noticed: list[int]
) -> None:
    for identity in (FIRST, FIRST, None, FIRST):
        identities.note("one", identity)
    assert noticed == []

    for identity in (PROMOTED, PROMOTED, FIRST._replace(database=16999)):
        with pytest.raises(Unavailable, match="the process starts over"):
            identities.note("one", identity)
    identities.note("one", None)  # a replica that is only read
    assert noticed == [1]


def test_each_dsn_has_an_identity_of_its_own(identities: Identities, noticed: list[int]) -> None:
    identities.note("one", FIRST)
    identities.note("two", FIRST._replace(cluster=8))

    assert noticed == []


def test_a_process_that_remembers_nothing_goes_on_with_the_other_database(identities: Identities) -> None:
    identities.start_over = None

    for identity in (FIRST, PROMOTED, PROMOTED):
        identities.note("one", identity)
