"""Verifies logs: recomputes the hash chain and holds it against the heads that were signed."""

import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.endpoints import running_stack
from deploy.operations.verify.report import Report, Teller
from schemas.catalog import Catalog, ContextName
from schemas.errors import Unavailable
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.log_verification import Verification
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import published_heads
from streams.integrity.signing import SignedHead, Signer, Verifier, read_public_key
from streams.settings import Settings


async def verify_log(
    settings: Settings, catalog: Catalog, databases: Databases, context: ContextName, verifier: Verifier | None, teller: Teller
) -> Report:
    """What came of one log; ``notes`` say what could not be held against signed heads. Raises `Unavailable`."""
    report = Report("log", str(context))
    published: Sequence[SignedHead] = ()
    if verifier is None:
        report.notes.append("signed heads were not looked at: no public key (--public-key, CAUDAL_SIGNING_KEY)")
    else:
        try:
            found = await published_heads(settings, catalog, context)
            published = [head for head in found if verifier.why_not(head) is None]
            if strange := len(found) - len(published):  # anyone may write to the topic: that is no word about the log
                report.notes.append(f"{strange} heads on the topic are not signed with a key that is trusted")
        except Unavailable as error:
            report.notes.append(f"the topic of signed heads was not looked at: {error.detail}")
    started = time.monotonic()
    with teller.progress(f"log {context}") as show:
        verified = await Verification(
            ProofLog(Store.of_log(databases, settings.log_dsn(context), context), context), verifier, published
        ).run(show)
    report.seconds = round(time.monotonic() - started, 3)
    if verifier is not None and verified.head and not verified.signed_up_to and not verified.findings:
        report.notes.append("no head of it is signed: that its newest events were cut off would not show")
    report.events, report.found = verified.events, len(verified.findings)
    report.facts = {"head": verified.head, "signed_up_to": verified.signed_up_to}
    report.summary = f"whole and unaltered, as signed up to {verified.signed_up_to}"
    report.findings = [{"position": finding.position, "what": finding.what} for finding in sorted(verified.findings)]
    return report


def verifier_of(public_keys: Sequence[Path], data_dir: Path, settings: Settings) -> Verifier | None:
    """Who checks signatures: by the keys that were named, else by the running stack's, else by the configured one's."""
    keys = [read_public_key(path) for path in public_keys]
    stack = running_stack(data_dir)
    if not keys and stack is not None and stack.postgres == settings.write_dsn:
        keys = [read_public_key(stack.public_key)]
    if not keys and settings.signing_key is not None:
        keys = [Signer(Path(settings.signing_key)).public]
    keys += [read_public_key(path) for path in settings.retired_signing_keys]
    return Verifier.of(*keys) if keys else None
