"""The identity of a database: a failover and a restore are noticed, a replica that is only read is not asked."""

from streams.database.identity import Identities, Identity

FIRST = Identity(7, "00000001", 16384)


def test_a_database_that_is_replaced_is_noticed_once_for_each_change() -> None:
    noticed, identities = [], Identities()
    identities.on_change = lambda: noticed.append(1)
    for identity in (FIRST, FIRST, None, FIRST):
        identities.note("one", identity)
    assert noticed == []

    for identity in (FIRST._replace(timeline="00000002"), FIRST._replace(timeline="00000002")):
        identities.note("one", identity)
    assert noticed == [1]
    identities.note("one", FIRST._replace(database=16999))
    assert noticed == [1, 1]


def test_each_dsn_has_an_identity_of_its_own() -> None:
    noticed, identities = [], Identities()
    identities.on_change = lambda: noticed.append(1)

    identities.note("one", FIRST)
    identities.note("two", FIRST._replace(cluster=8))

    assert noticed == []
