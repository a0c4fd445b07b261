"""Verification of logs: their hash chains, compared with the signed heads."""

import time
from collections.abc import Sequence
from pathlib import Path

from deploy.console.printing import counted
from deploy.operations.installation import OpenInstallation
from deploy.operations.run import Show
from deploy.operations.verify.report import Report
from schemas.catalog import Catalog
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.log_verification import Verification, Verified
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import published_heads
from streams.integrity.signing import SignedHead, Signer, Verifier, read_public_key
from streams.settings import Settings


async def verify_log(
    settings: Settings,
    catalog: Catalog,
    databases: Databases,
    context: ContextName,
    verifier: Verifier | None,
    show: Show,
) -> Report:
    """Verifies one log; and says what could not be compared with signed heads. Raises `Unavailable`."""
    report = Report("log", str(context))
    published: Sequence[SignedHead] = ()
    if verifier is None:
        report.unverified.append("signed heads were not verified: there is no public key (--public-key, CAUDAL_SIGNING_KEY)")
    else:
        published = await _trusted_heads(settings, catalog, context, verifier, report)
    started = time.monotonic()
    log = ProofLog(Store.of_log(databases, settings.log_dsn(context), context), context)
    verified = await Verification(log, verifier, published).run(show)
    report.seconds = round(time.monotonic() - started, 3)
    if verifier is not None and verified.head and not verified.signed_up_to and not verified.findings:
        report.unverified.append("none of its heads is signed: a removal of its newest events would not be found")
    _add(verified, report)
    return report


async def _trusted_heads(
    settings: Settings, catalog: Catalog, context: ContextName, verifier: Verifier, report: Report
) -> Sequence[SignedHead]:
    """Returns the heads on the topic that are validly signed; the report gets a note about the others."""
    try:
        found = await published_heads(settings, catalog, context)
    except Unavailable as error:
        report.unverified.append(f"the topic of signed heads was not read: {error.detail}")
        return ()
    trusted = [head for head in found if verifier.why_not(head) is None]
    if foreign := len(found) - len(trusted):  # anyone may write to the topic: this says nothing about the log
        report.notes.append(f"{counted(foreign, 'head')} on the topic without a trusted signature")
    return trusted


def _add(verified: Verified, report: Report) -> None:
    report.events, report.found = verified.events, len(verified.findings)
    report.facts = {"head": verified.head, "signed_up_to": verified.signed_up_to}
    signed = f", signed up to position {verified.signed_up_to:,}" if verified.signed_up_to else ""
    report.notes += verified.lost
    report.summary = f"complete and unaltered{signed}"
    report.findings = [{"position": finding.position, "what": finding.what} for finding in sorted(verified.findings)]


def verifier_of(installation: OpenInstallation) -> Verifier | None:
    """Returns the verifier of signatures: with the keys given, else the stack's key, else the configured key."""
    keys = [read_public_key(path) for path in installation.public_keys]
    settings, stack = installation.settings, installation.stack
    if not keys and stack is not None:
        keys = [read_public_key(stack.public_key)]
    if not keys and settings.signing_key is not None:
        keys = [Signer(Path(settings.signing_key)).public]
    keys += [read_public_key(path) for path in settings.retired_signing_keys]
    return Verifier.of(*keys) if keys else None
