"""`caudal verify log` against a superuser's alterations: it names the first bad position."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
import pytest

from query_api.audit.proof import proof_of
from schemas.errors import NotAsSigned
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.proof_log import ProofLog
from streams.integrity.signing import SignedHead, Signer, Verifier, make_keys
from streams.log.appending import AppendablePostgresLog
from tests.conftest import FreshDatabase
from tests.integration.tampering import CONTEXT, SCHEMA, append, rechain, sign, verify
from tests.stack import caudal


@pytest.fixture
async def log(fresh_database: FreshDatabase) -> AsyncIterator[ProofLog]:
    """A log of 60 events in 10 streams."""
    databases = Databases(None, 2)
    appendable = AppendablePostgresLog(Store.of_log(databases, await fresh_database.migrated(), CONTEXT), CONTEXT, 4)
    for begin in range(0, 60, 10):
        await appendable.append([append(f"s-{n % 10}", n) for n in range(begin, begin + 10)])
    yield ProofLog(Store.of_log(databases, fresh_database.dsn, CONTEXT), CONTEXT)
    await databases.close()


@pytest.fixture
async def superuser(log: ProofLog, fresh_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.dsn)
    yield connection
    await connection.close()


async def test_a_log_without_alterations_has_no_findings(log: ProofLog, signer: Signer) -> None:
    await sign(log, signer)

    verified = await verify(log, Verifier.of(signer.public))

    assert (verified.events, verified.head, verified.signed_up_to, verified.findings) == (60, 60, 60, [])


async def test_an_empty_log_has_no_findings(fresh_database: FreshDatabase) -> None:
    databases = Databases("caudal_reader", 1)
    await fresh_database.migrated()

    assert (await verify(ProofLog(Store.of_log(databases, fresh_database.dsn, CONTEXT), CONTEXT))).findings == []

    await databases.close()


SWAPPED = """
    with a as (select * from {s}.events where position = 20), b as (select * from {s}.events where position = 35)
    update {s}.events e set data = case e.position when 20 then b.data else a.data end from a, b where e.position in (20, 35)
"""
MOVED = """
    update {s}.events set position = 999 where position = 20;
    update {s}.events set position = 20 where position = 35;
    update {s}.events set position = 35 where position = 999;
"""
INSERTED = """
    update {s}.events set position = position + 1000 where position >= 30;
    update {s}.events set position = position - 999 where position >= 1000;
    insert into {s}.events
      select 30, 's-forged', 1, gen_random_uuid(), type, 1, partition, previous, recorded_at, data, metadata, hash
      from {s}.events where position = 29;
    update {s}.head set position = 61;
    insert into {s}.streams values ('s-forged', 1, 30, 30);
"""


@pytest.mark.parametrize(
    ("what", "sql", "first", "says"),
    [
        ("data altered", "update {s}.events set data = '{{}}' where position = 17", 17, "altered"),
        ("one blank more", "update {s}.events set data = (data::text || ' ')::json where position = 17", 17, "altered"),
        ("actor altered", "update {s}.events set metadata = '{{}}' where position = 1", 1, "altered"),
        ("time altered", "update {s}.events set recorded_at = recorded_at + interval '1 us' where position = 9", 9, "altered"),
        ("type altered", "update {s}.events set type = 'DataReceived' where position = 60", 60, "altered"),
        ("id altered", "update {s}.events set id = gen_random_uuid() where position = 44", 44, "altered"),
        ("hash altered", "update {s}.events set hash = sha256(hash) where position = 5", 5, "altered"),
        ("stream altered", "update {s}.events set stream = 's-x' where position = 12", 12, "altered"),
        ("removed", "delete from {s}.events where position = 31", 31, "missing"),
        ("first removed", "delete from {s}.events where position = 1", 1, "missing"),
        ("several removed", "delete from {s}.events where position between 31 and 40", 31, "missing"),
        ("swapped", SWAPPED, 20, "altered"),
        ("moved", MOVED, 20, "altered"),
        ("inserted", INSERTED, 30, "altered"),
        ("cut off", "delete from {s}.events where position > 50", 51, "missing"),
        ("everything cut off", "truncate {s}.events", 1, "missing"),
        ("head's hash altered", "update {s}.head set hash = sha256(hash)", 60, "the head's hash"),
        ("head put back", "update {s}.head set position = 55", 55, "head"),
        ("stream's version altered", "update {s}.streams set version = 9 where stream = 's-3'", 60, "streams' versions"),
        (
            "streams' versions swapped",
            "update {s}.streams set version = case stream when 's-3' then 7 else 5 end where stream in ('s-3', 's-4')",
            54,
            "does not match its first",
        ),
        (
            "stream's beginning hidden",
            "update {s}.streams set first_position = 34 where stream = 's-3'",
            54,
            "does not match its first",
        ),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
async def test_the_first_bad_position_is_named(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, what: str, sql: str, first: int, says: str, signed: bool
) -> None:
    for position in (30, 55, 60) if signed else ():
        ((_, digest),) = await log.hashes([position])
        await log.add_signed_head(signer.sign(CONTEXT, position, digest, 1))
    await superuser.execute(sql.format(s=SCHEMA))

    found = (await verify(log, Verifier.of(signer.public) if signed else None)).first

    assert found is not None, what
    assert found.position == first, found
    assert says in found.what


@pytest.mark.parametrize(
    ("what", "sql", "first", "says"),
    [
        ("altered", "update {s}.events set data = '{{}}' where position = 17", 1, "rewritten"),
        ("newest cut off", "delete from {s}.events where position > 50", 51, "cut off"),
        ("all cut off", "delete from {s}.events; delete from {s}.streams", 1, "cut off"),
    ],
)
async def test_a_recomputed_chain_is_found_by_a_signed_head(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, what: str, sql: str, first: int, says: str
) -> None:
    await sign(log, signer)
    await superuser.execute(sql.format(s=SCHEMA))
    if what != "all cut off":
        await rechain(superuser, log)
    else:
        await superuser.execute(f"update {SCHEMA}.head set position = 0, hash = ''")
    assert (await verify(log)).findings == [], "the chain alone does not show it"

    found = (await verify(log, Verifier.of(signer.public))).first

    assert found is not None
    assert (found.position, says in found.what) == (first, True), found


async def test_a_rewriting_is_reported_after_the_last_matching_signature(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, fresh_database: FreshDatabase
) -> None:
    await sign(log, signer)
    appendable = AppendablePostgresLog(log._store, CONTEXT, 4)
    await appendable.append([append("later-1", n) for n in range(5)])
    await sign(log, signer)
    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 63")
    await rechain(superuser, log)

    verified = await verify(log, Verifier.of(signer.public))

    assert verified.signed_up_to == 60
    assert verified.first is not None
    assert (verified.first.position, "rewritten" in verified.first.what) == (61, True)


async def test_a_head_on_the_topic_survives_alterations_of_the_table(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer
) -> None:
    published = await sign(log, signer)
    await superuser.execute(f"delete from {SCHEMA}.events where position > 50; delete from {SCHEMA}.signed_heads")
    await rechain(superuser, log)
    assert (await verify(log, Verifier.of(signer.public))).findings == []

    found = (await verify(log, Verifier.of(signer.public), [published])).first

    assert found is not None
    assert (found.position, "cut off" in found.what) == (51, True)


class Busy(ProofLog):
    """A log that grows, and is signed again, during the verification."""

    grow: Callable[[], Awaitable[object]]

    async def signed_heads(self, after: tuple[int, bytes], limit: int) -> Sequence[SignedHead]:
        await self.grow()
        return await super().signed_heads(after, limit)


async def test_a_log_that_grows_during_the_verification_is_not_cut_off(
    log: ProofLog, signer: Signer, fresh_database: FreshDatabase
) -> None:
    appendable = AppendablePostgresLog(log._store, CONTEXT, 4)

    async def grow() -> None:
        if (await log.head()).position > 65:
            return
        await appendable.append([append(f"later-{uuid4()}", 1)])
        await sign(log, signer)

    busy = Busy(log._store, CONTEXT)
    busy.grow = grow

    assert (await verify(busy, Verifier.of(signer.public))).findings == []
    await appendable.drain()


async def test_the_writer_cannot_store_a_head_that_the_log_does_not_have(log: ProofLog, fresh_database: FreshDatabase) -> None:
    databases = Databases("caudal_writer", 1)
    writer, ends = ProofLog(Store.of_log(databases, fresh_database.dsn, CONTEXT), CONTEXT), await log.ends()

    for position, digest in ((2**62, ends.hash), (ends.position, b"x"), (0, b""), (ends.position - 1, ends.hash)):
        await writer.add_signed_head(SignedHead(CONTEXT, position, digest, 1, datetime.now(UTC), "key", b"signature"))
    assert await log.signed_heads((0, b""), 10) == []
    await writer.add_signed_head(SignedHead(CONTEXT, ends.position, ends.hash, 1, datetime.now(UTC), "key", b"signature"))

    assert [head.position for head in await log.signed_heads((0, b""), 10)] == [60]
    await databases.close()


async def test_a_proof_says_that_signed_events_are_missing(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer
) -> None:
    await sign(log, signer)
    assert (await proof_of(log, "s-3")).next is None

    await superuser.execute(f"delete from {SCHEMA}.events where position = 58")

    with pytest.raises(NotAsSigned):
        await proof_of(log, "s-3")


async def test_a_head_that_another_key_signed_is_not_valid(log: ProofLog, signer: Signer, tmp_path: Path) -> None:
    make_keys(tmp_path / "other.pem", tmp_path / "other.pub")
    await sign(log, Signer(tmp_path / "other.pem"))

    found = (await verify(log, Verifier.of(signer.public))).first

    assert found is not None
    assert "not trusted" in found.what


async def test_the_command_names_the_position_and_exits_with_one(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    await sign(log, signer)
    environment = {"CAUDAL_WRITE_DSN": fresh_database.dsn, "CAUDAL_BROKERS": "127.0.0.1:1"}
    options = ("--public-key", str(tmp_path / "public.pem"), "--data-dir", str(tmp_path))
    code, out, _ = await caudal("verify", "log", *options, environment=environment)
    assert code == 0, out
    assert "data_ingestion.ingestion: 60 events" in out
    assert "signed up to position 60" in out
    assert "the topic of signed heads was not read" in out
    assert (await caudal("verify", "log", "--require-signed", *options, environment=environment))[0] == 1

    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17")
    code, out, _ = await caudal("verify", "log", "data_ingestion.ingestion", "--json", *options, environment=environment)

    (report,) = orjson.loads(out)["answer"]
    assert code == 1
    assert report["findings"][0]["position"] == 17
