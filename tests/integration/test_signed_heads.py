"""Signed heads: keys that replace each other, valid heads, and logs that are not signed."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest
from prometheus_client import REGISTRY

from deploy.local.servers.embedded_broker import EmbeddedBroker
from schemas.catalog import Catalog
from schemas.errors import Malformed, Misconfigured, NotAsSigned
from schemas.system import ContextName
from streams.broker.clients import started_producer
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.integrity.head_signer import HeadSigner
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import published_heads
from streams.integrity.signing import SEGMENT, SignedHead, Signer, Verifier, key_name, make_keys, read_public_key
from streams.log.appending import AppendablePostgresLog
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.tampering import CONTEXT, SCHEMA, append, rechain, verify


async def test_a_new_key_continues_the_heads_of_the_old_one_or_signs_nothing(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer, tmp_path: Path
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    await ensure_topics(settings, catalog)
    old = HeadSigner(Installation(settings, catalog, databases), signer)
    await log.append([append("s-1", n) for n in range(30)])
    await old.sign(CONTEXT)
    await log.append([append("s-2", n) for n in range(30)])
    make_keys(tmp_path / "new.pem", tmp_path / "new.pub")
    newer = Signer(tmp_path / "new.pem")

    stranger = HeadSigner(Installation(settings, catalog, databases), newer)
    with pytest.raises(NotAsSigned, match="CAUDAL_RETIRED_SIGNING_KEYS"):
        await stranger.sign(CONTEXT)
    heir = HeadSigner(Installation(settings, catalog, databases), newer, [signer.public])
    assert await heir.sign(CONTEXT) == 60

    published = await published_heads(settings, catalog, CONTEXT)
    assert {head.key for head in published} == {key_name(signer.public), key_name(newer.public)}
    verified = await verify(
        ProofLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT),
        Verifier.of(signer.public, newer.public),
        published,
    )
    assert (verified.signed_up_to, verified.findings) == (60, [])
    for one in (old, stranger, heir):
        await one.close()
    await log.drain()
    await databases.close()


async def test_a_signer_survives_foreign_records_on_the_topic(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    await ensure_topics(settings, catalog)
    await log.append([append("s-1", n) for n in range(30)])
    heads = HeadSigner(Installation(settings.model_copy(update={"signing_interval_seconds": 0.1}), catalog, databases), signer)
    valid = signer.sign(CONTEXT, 7, b"h" * 32, 1).as_json()
    producer = await started_producer(settings)
    for at in ("0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00", "now"):
        value = orjson.dumps({**valid, "signed_at": at})
        await producer.send_and_wait(Topics(settings, catalog).signed_heads(CONTEXT), value, b"x", partition=0)
    await producer.stop()

    running = asyncio.create_task(heads.run(lambda: [CONTEXT]))
    proof = ProofLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)

    async def signed() -> bool:
        return [head.position for head in await proof.signed_heads((0, b""), 10)] == [30]

    await eventually(signed)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await log.drain()
    await databases.close()


async def test_an_altered_log_is_not_signed_again(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    proof = ProofLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)
    superuser = await asyncpg.connect(settings.write_dsn)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(Installation(settings, catalog, databases), signer)
    await log.append([append(f"s-{n % 10}", n) for n in range(60)])
    assert await heads.sign(CONTEXT) == 60

    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17; delete from {SCHEMA}.signed_heads")
    await rechain(superuser, proof)
    await log.append([append("later-1", 1)])
    signed_at = _signed_at()

    another_process = HeadSigner(Installation(settings, catalog, databases), signer)
    for one in (heads, another_process):
        with pytest.raises(NotAsSigned, match="position 60"):
            await one.sign(CONTEXT)
    await superuser.execute(f"delete from {SCHEMA}.events where position > 50; delete from {SCHEMA}.streams where version < 3")
    await rechain(superuser, proof)
    with pytest.raises(NotAsSigned):
        await another_process.sign(CONTEXT)
    assert [head.position for head in await published_heads(settings, catalog, CONTEXT)] == [60]
    assert _signed_at() == signed_at, "the age of the last signature grows"

    for one in (heads, another_process):
        await one.close()
    await superuser.close()
    await databases.close()


async def test_a_broken_chain_is_not_signed(
    settings: Settings, broker: EmbeddedBroker, catalog: Catalog, signer: Signer
) -> None:
    databases = Databases(None, 2)
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    superuser = await asyncpg.connect(settings.write_dsn)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(Installation(settings, catalog, databases), signer)
    await log.append([append("s-1", n) for n in range(30)])
    await superuser.execute(f"update {SCHEMA}.events set data = '{{}}' where position = 17")

    with pytest.raises(NotAsSigned, match="position 17"):
        await heads.sign(CONTEXT)

    await heads.close()
    await superuser.close()
    await databases.close()


async def test_a_signature_of_other_content_is_not_valid(signer: Signer) -> None:
    head, verifier = signer.sign(CONTEXT, 7, b"h" * 32, 1), Verifier.of(signer.public)
    assert verifier.why_not(head) is None
    assert SignedHead.parse(orjson.dumps(head.as_json())) == head

    changes: tuple[tuple[str, Any], ...] = (
        ("position", 8),
        ("hash", b"g" * 32),
        ("timeline", 2),
        ("signed_at", datetime.now(UTC)),
        ("context", ContextName("a", "b")),
    )
    for name, value in changes:
        assert "does not match its content" in (verifier.why_not(replace(head, **{name: value})) or "")


def test_a_text_that_is_not_a_head_or_not_a_key_is_rejected(tmp_path: Path) -> None:
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
    log = AppendablePostgresLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT, 4)
    proof = ProofLog(Store.of_log(databases, settings.write_dsn, CONTEXT), CONTEXT)
    await ensure_topics(settings, catalog)
    heads = HeadSigner(Installation(settings, catalog, databases), signer)
    assert await heads.sign(CONTEXT) == 0
    for _ in range(5):
        await log.append([append(f"s-{uuid4()}", n) for n in range(500)])

    assert await heads.sign(CONTEXT) == 2500
    before = _signed_at()
    assert await heads.sign(CONTEXT) == 2500
    assert time.time() - 60 < before < _signed_at()
    await log.append([append("one-more", 1)])
    assert await heads.sign(CONTEXT) == 2501

    signed = [head.position for head in await proof.signed_heads((0, b""), 100)]
    assert signed == [SEGMENT, 2 * SEGMENT, 2500, 2501]
    published = await published_heads(settings, catalog, CONTEXT)
    assert published[-1].position == 2501
    verified = await verify(proof, Verifier.of(signer.public), published)
    assert (verified.signed_up_to, verified.findings) == (2501, [])
    await heads.close()
    await databases.close()


def _signed_at() -> float:
    return REGISTRY.get_sample_value("caudal_signed_time_seconds", {"context": str(CONTEXT)}) or 0
