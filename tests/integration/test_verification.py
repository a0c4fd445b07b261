"""`caudal verify log` against someone with a superuser's rights: it names the first bad position, whatever was done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from deploy.local.broker import EmbeddedBroker
from query_api.proof import proof_of
from schemas.catalog import Catalog, ContextName
from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.errors import Malformed, Misconfigured, NotAsSigned
from schemas.expected_version import ANY_VERSION
from streams.append import AppendablePostgresLog
from streams.chain import BEGIN, content_hash, linked
from streams.log import Append, Write
from streams.log_verification import Verification, Verified
from streams.postgres import Databases
from streams.proof_log import ProofLog
from streams.rows import encode
from streams.settings import Settings
from streams.signed_heads_topic import published_heads
from streams.signing import SEGMENT, SignedHead, Signer, Verifier, key_name, make_keys, read_public_key
from streams.topics import Topics, ensure_topics, started_producer
from streams.upkeep import HeadSigner
from tests.conftest import FreshDatabase, eventually
from tests.stack import caudal

CONTEXT = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion_ingestion"


@pytest.fixture
async def log(fresh_database: FreshDatabase) -> AsyncIterator[ProofLog]:
    """A log of 60 events in 10 streams."""
    databases = Databases(None, 2)
    appendable = AppendablePostgresLog(databases, await fresh_database.migrated(), CONTEXT, 4)
    for n in range(60):
        await appendable.append([append(f"s-{n % 10}", n)])
    yield ProofLog(databases, fresh_database.dsn, CONTEXT)
    await databases.close()


@pytest.fixture
async def superuser(log: ProofLog, fresh_database: FreshDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.dsn)
    yield connection
    await connection.close()


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    make_keys(tmp_path / "signing.pem", tmp_path / "public.pem")
    return Signer(tmp_path / "signing.pem")


def append(stream: str, n: int) -> Append:
    id = uuid4()
    event = encode(DataIngested(data_id=UUID(int=n), partner_id="ñ \u2028", payload={"n": n, "x": 1e15}))
    metadata = Metadata(command_id=id, correlation_id="c", actor="someone")
    return Append(command_id=id, fingerprint=b"x", metadata=metadata, writes=(Write(stream, ANY_VERSION, (event,)),))


async def verify(log: ProofLog, verifier: Verifier | None = None, published: Sequence[SignedHead] = ()) -> Verified:
    return await Verification(log, verifier, published).run(lambda done, total: None)


async def sign(log: ProofLog, signer: Signer) -> SignedHead:
    ends = await log.ends()
    head = signer.sign(CONTEXT, ends.position, ends.hash)
    await log.add_signed_head(head)
    return head


async def rechain(superuser: asyncpg.Connection, log: ProofLog) -> None:
    """Writes the chain, the head and the streams anew: what a thorough forger would do."""
    digest = BEGIN
    for link in await log.links(0, 1000):
        digest = linked(digest, content_hash(link.row))
        await superuser.execute(f"update {SCHEMA}.events set hash = $2 where position = $1", link.row.position, digest)
    await superuser.execute(
        f"update {SCHEMA}.head set hash = $1, position = (select coalesce(max(position), 0) from {SCHEMA}.events)", digest
    )
    await superuser.execute(
        f"update {SCHEMA}.streams s set (version, last_position) ="
        f" (select max(version), max(position) from {SCHEMA}.events e where e.stream = s.stream)"
    )


async def test_a_log_that_nobody_touched_is_whole(log: ProofLog, signer: Signer) -> None:
    await sign(log, signer)

    verified = await verify(log, Verifier.of(signer.public))

    assert (verified.events, verified.head, verified.signed_upto, verified.findings) == (60, 60, 60, [])


async def test_an_empty_log_is_whole(fresh_database: FreshDatabase) -> None:
    databases = Databases("caudal_reader", 1)
    await fresh_database.migrated()

    assert (await verify(ProofLog(databases, fresh_database.dsn, CONTEXT))).findings == []

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
            "says another first event",
        ),
        (
            "stream's beginning hidden",
            "update {s}.streams set first_position = 34 where stream = 's-3'",
            54,
            "says another first event",
        ),
    ],
)
@pytest.mark.parametrize("signed", [False, True])
async def test_the_first_bad_position_is_named(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, what: str, sql: str, first: int, says: str, signed: bool
) -> None:
    for position in (30, 55, 60) if signed else ():
        ((_, digest),) = await log.hashes([position])
        await log.add_signed_head(signer.sign(CONTEXT, position, digest))
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
async def test_a_forger_who_writes_the_chain_anew_is_told_by_what_was_signed(
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


async def test_what_came_after_the_last_good_signature_is_where_the_rewriting_is(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, fresh_database: FreshDatabase
) -> None:
    await sign(log, signer)
    appendable = AppendablePostgresLog(log._databases, fresh_database.dsn, CONTEXT, 4)
    await appendable.append([append("later-1", n) for n in range(5)])
    await sign(log, signer)
    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 63")
    await rechain(superuser, log)

    verified = await verify(log, Verifier.of(signer.public))

    assert verified.signed_upto == 60
    assert verified.first is not None
    assert (verified.first.position, "rewritten" in verified.first.what) == (61, True)


async def test_a_head_on_the_topic_outlives_the_forgers_of_the_table(
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
    """A log that grows, and is signed again, while it is looked through."""

    grow: Callable[[], Awaitable[object]]

    async def signed_heads(self, after: int, limit: int) -> Sequence[SignedHead]:
        await self.grow()
        return await super().signed_heads(after, limit)


async def test_a_log_that_grows_meanwhile_is_not_taken_for_one_that_was_cut_off(
    log: ProofLog, signer: Signer, fresh_database: FreshDatabase
) -> None:
    appendable = AppendablePostgresLog(log._databases, fresh_database.dsn, CONTEXT, 4)

    async def grow() -> None:
        if (await log.head()).position > 65:
            return
        await appendable.append([append(f"later-{uuid4()}", 1)])
        await sign(log, signer)

    busy = Busy(log._databases, fresh_database.dsn, CONTEXT)
    busy.grow = grow

    assert (await verify(busy, Verifier.of(signer.public))).findings == []
    await appendable.settle()


async def test_a_new_key_leads_on_from_what_the_old_one_signed_or_signs_nothing(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer, tmp_path: Path
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(databases, settings.write_dsn, CONTEXT, 4)
    await ensure_topics(settings, catalog)
    old = HeadSigner(settings, catalog, databases, signer)
    await log.append([append("s-1", n) for n in range(30)])
    await old.sign(CONTEXT)
    await log.append([append("s-2", n) for n in range(30)])
    make_keys(tmp_path / "new.pem", tmp_path / "new.pub")
    newer = Signer(tmp_path / "new.pem")

    stranger = HeadSigner(settings, catalog, databases, newer)
    with pytest.raises(NotAsSigned, match="CAUDAL_RETIRED_KEYS"):
        await stranger.sign(CONTEXT)
    heir = HeadSigner(settings, catalog, databases, newer, [signer.public])
    assert await heir.sign(CONTEXT) == 60

    published = await published_heads(settings, catalog, CONTEXT)
    assert {head.key for head in published} == {key_name(signer.public), key_name(newer.public)}
    verified = await verify(
        ProofLog(databases, settings.write_dsn, CONTEXT), Verifier.of(signer.public, newer.public), published
    )
    assert (verified.signed_upto, verified.findings) == (60, [])
    for one in (old, stranger, heir):
        await one.close()
    await log.settle()
    await databases.close()


async def test_a_signer_outlives_whatever_somebody_puts_on_the_topic(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(databases, settings.write_dsn, CONTEXT, 4)
    await ensure_topics(settings, catalog)
    await log.append([append("s-1", n) for n in range(30)])
    heads = HeadSigner(settings.model_copy(update={"sign_seconds": 0.1}), catalog, databases, signer)
    strange = signer.sign(CONTEXT, 7, b"h" * 32).as_json()
    producer = await started_producer(settings)
    for at in ("0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00", "now"):
        value = orjson.dumps({**strange, "signed_at": at})
        await producer.send_and_wait(Topics(settings, catalog).signed_heads(CONTEXT), value, b"x", partition=0)
    await producer.stop()

    running = asyncio.create_task(heads.run(lambda: [CONTEXT]))
    proof = ProofLog(databases, settings.write_dsn, CONTEXT)

    async def signed() -> bool:
        return [head.position for head in await proof.signed_heads(0, 10)] == [30]

    await eventually(signed)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await log.settle()
    await databases.close()


async def test_an_altered_log_is_not_signed_again(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(databases, settings.write_dsn, CONTEXT, 4)
    proof = ProofLog(databases, settings.write_dsn, CONTEXT)
    superuser = await asyncpg.connect(settings.write_dsn)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(settings, catalog, databases, signer)
    await log.append([append(f"s-{n % 10}", n) for n in range(60)])
    assert await heads.sign(CONTEXT) == 60

    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17; delete from {SCHEMA}.signed_heads")
    await rechain(superuser, proof)
    await log.append([append("later-1", 1)])

    another_process = HeadSigner(settings, catalog, databases, signer)
    for one in (heads, another_process):
        with pytest.raises(NotAsSigned, match="position 60"):
            await one.sign(CONTEXT)
    await superuser.execute(f"delete from {SCHEMA}.events where position > 50; delete from {SCHEMA}.streams where version < 3")
    await rechain(superuser, proof)
    with pytest.raises(NotAsSigned):
        await another_process.sign(CONTEXT)
    assert [head.position for head in await published_heads(settings, catalog, CONTEXT)] == [60]

    for one in (heads, another_process):
        await one.close()
    await superuser.close()
    await databases.close()


async def test_a_broken_chain_is_not_signed(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(databases, settings.write_dsn, CONTEXT, 4)
    superuser = await asyncpg.connect(settings.write_dsn)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(settings, catalog, databases, signer)
    await log.append([append("s-1", n) for n in range(30)])
    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17")

    with pytest.raises(NotAsSigned, match="position 17"):
        await heads.sign(CONTEXT)

    await heads.close()
    await superuser.close()
    await databases.close()


async def test_the_writer_can_keep_no_head_that_the_log_does_not_have(log: ProofLog, fresh_database: FreshDatabase) -> None:
    databases = Databases("caudal_writer", 1)
    writer, ends = ProofLog(databases, fresh_database.dsn, CONTEXT), await log.ends()

    for position, digest in ((2**62, ends.hash), (ends.position, b"x"), (0, b""), (ends.position - 1, ends.hash)):
        await writer.add_signed_head(SignedHead(CONTEXT, position, digest, datetime.now(UTC), "key", b"signature"))
    assert await log.signed_heads(0, 10) == []
    await writer.add_signed_head(SignedHead(CONTEXT, ends.position, ends.hash, datetime.now(UTC), "key", b"signature"))

    assert [head.position for head in await log.signed_heads(0, 10)] == [60]
    await databases.close()


async def test_a_proof_says_when_events_are_missing_that_were_signed(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer
) -> None:
    await sign(log, signer)
    assert (await proof_of(log, "s-3")).next is None

    await superuser.execute(f"delete from {SCHEMA}.events where position = 58")

    with pytest.raises(NotAsSigned):
        await proof_of(log, "s-3")


async def test_a_head_that_someone_else_signed_is_not_believed(log: ProofLog, signer: Signer, tmp_path: Path) -> None:
    make_keys(tmp_path / "other.pem", tmp_path / "other.pub")
    await sign(log, Signer(tmp_path / "other.pem"))

    found = (await verify(log, Verifier.of(signer.public))).first

    assert found is not None
    assert "not trusted" in found.what


async def test_a_signature_of_something_else_is_not_believed(signer: Signer) -> None:
    head, verifier = signer.sign(CONTEXT, 7, b"h" * 32), Verifier.of(signer.public)
    assert verifier.why_not(head) is None
    assert SignedHead.parse(orjson.dumps(head.as_json())) == head

    for name, value in (
        ("position", 8),
        ("hash", b"g" * 32),
        ("signed_at", datetime.now(UTC)),
        ("context", ContextName("a", "b")),
    ):
        fields = {field: getattr(head, field) for field in ("context", "position", "hash", "signed_at", "key", "signature")}
        assert "not that of its content" in (verifier.why_not(SignedHead(**{**fields, name: value})) or "")


def test_a_head_or_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no key")
    for text in (b"", b"{}", b"[]", b'{"context": 1}'):
        with pytest.raises(Malformed):
            SignedHead.parse(text)
    with pytest.raises(Misconfigured):
        Signer(tmp_path / "x.pem")
    with pytest.raises(Misconfigured):
        read_public_key(tmp_path / "y.pem")
    for private, public in (("x.pem", "y.pem"), ("y.pem", "x.pem")):
        with pytest.raises(Misconfigured, match="no key was written"):
            make_keys(tmp_path / private, tmp_path / public)


async def test_heads_are_signed_into_the_table_and_onto_the_topic(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases("caudal_writer", 2)
    log = AppendablePostgresLog(databases, settings.write_dsn, CONTEXT, 4)
    proof = ProofLog(databases, settings.write_dsn, CONTEXT)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(settings, catalog, databases, signer)
    assert await heads.sign(CONTEXT) == 0
    for _ in range(5):
        await log.append([append(f"s-{uuid4()}", n) for n in range(500)])

    assert await heads.sign(CONTEXT) == 2500
    assert await heads.sign(CONTEXT) == 2500
    await log.append([append("one-more", 1)])
    assert await heads.sign(CONTEXT) == 2501

    signed = [head.position for head in await proof.signed_heads(0, 100)]
    assert signed == [SEGMENT, 2 * SEGMENT, 2500, 2501]
    published = await published_heads(settings, catalog, CONTEXT)
    assert published[-1].position == 2501
    verified = await verify(proof, Verifier.of(signer.public), published)
    assert (verified.signed_upto, verified.findings) == (2501, [])
    await heads.close()
    await databases.close()


async def test_the_command_names_the_position_and_leaves_with_one(
    log: ProofLog, superuser: asyncpg.Connection, signer: Signer, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    await sign(log, signer)
    environment = {"CAUDAL_WRITE_DSN": fresh_database.dsn, "CAUDAL_BROKERS": "127.0.0.1:1"}
    options = ("--public-key", str(tmp_path / "public.pem"), "--data-dir", str(tmp_path))
    code, out, _ = await caudal("verify", "log", *options, environment=environment)
    assert code == 0, out
    assert "data_ingestion.ingestion: 60 events" in out
    assert "as signed up to 60" in out
    assert "the topic of signed heads was not looked at" in out
    assert (await caudal("verify", "log", "--require-signed", *options, environment=environment))[0] == 1

    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17")
    code, out, _ = await caudal("verify", "log", "data_ingestion.ingestion", "--json", *options, environment=environment)

    (report,) = orjson.loads(out)
    assert code == 1
    assert report["findings"][0]["position"] == 17
