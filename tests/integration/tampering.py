"""A log that tests alter, and the steps of a thorough forger."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.expected_version import ANY_VERSION
from schemas.system import ContextName
from streams.integrity.hash_chain import BEGIN, content_hash, linked
from streams.integrity.log_verification import Verification, Verified
from streams.integrity.proof_log import ProofLog
from streams.integrity.signing import SignedHead, Signer, Verifier
from streams.log.reading import Append, Write
from streams.log.stored_events import encode

CONTEXT = ContextName("data_ingestion", "ingestion")
SCHEMA = "data_ingestion__ingestion"


def append(stream: str, n: int) -> Append:
    id = uuid4()
    event = encode(DataIngested(data_id=UUID(int=n), partner_id="ñ \u2028", payload={"n": n, "x": 1e15}))
    metadata = Metadata(command_id=id, correlation_id="c", actor="someone")
    return Append(command_id=id, fingerprint=b"x", metadata=metadata, writes=(Write(stream, ANY_VERSION, (event,)),))


async def verify(log: ProofLog, verifier: Verifier | None = None, published: Sequence[SignedHead] = ()) -> Verified:
    return await Verification(log, verifier, published).run(lambda done, total: None)


async def sign(log: ProofLog, signer: Signer) -> SignedHead:
    ends = await log.ends()
    head = signer.sign(CONTEXT, ends.position, ends.hash, 1)
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
