"""``caudal verify log``: recomputes every log's hash chain and holds it against the heads that were signed."""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.connection import connected
from deploy.local.endpoints import running_stack
from schemas.catalog import Catalog, ContextName
from schemas.errors import Unavailable
from streams.postgres import Databases
from streams.proof_log import ProofLog
from streams.settings import Settings
from streams.signed_heads_topic import published_heads
from streams.signing import SignedHead, Signer, Verifier, read_public_key
from streams.verification import Verification, Verified


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one log."""

    log: str
    events: int
    head: int
    signed_upto: int
    findings: list[dict[str, object]]
    seconds: float
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """How the outcome is told."""

    as_json: bool
    require_signed: bool
    """Whether what could not be held against signed heads counts as wrong."""


async def verify_logs(
    names: Sequence[str], public_keys: Sequence[Path], data_dir: Path, settings: Settings, shown: Shown
) -> int:
    """Prints what came of each log; 1 where anything is wrong. Raises `Unavailable` where a database is out of reach."""
    catalog = Catalog.installed()
    contexts = [ContextName.parse(name) for name in names] or list(catalog.contexts)
    for context in contexts:
        catalog.context(context)
    settings = connected(settings, data_dir)
    verifier = _verifier(public_keys, data_dir, settings)
    console = Console(stderr=shown.as_json, highlight=False, soft_wrap=True)
    databases = Databases("caudal_reader", pool_size=2)
    try:
        reports = [await _verify(settings, catalog, databases, context, verifier, console) for context in contexts]
    finally:
        await databases.close()
    if shown.as_json:
        sys.stdout.write(orjson.dumps([asdict(report) for report in reports]).decode() + "\n")
    return 1 if any(report.findings or (shown.require_signed and report.notes) for report in reports) else 0


async def _verify(
    settings: Settings,
    catalog: Catalog,
    databases: Databases,
    context: ContextName,
    verifier: Verifier | None,
    console: Console,
) -> Report:
    notes: list[str] = []
    published: Sequence[SignedHead] = ()
    if verifier is None:
        notes.append("signed heads were not looked at: no public key (--public-key, CAUDAL_SIGNING_KEY)")
    else:
        try:
            published = await published_heads(settings, catalog, context)
        except Unavailable as error:
            notes.append(f"the topic of signed heads was not looked at: {error.detail}")
    log = ProofLog(databases, settings.log_dsn(context), context)
    started = time.monotonic()
    with _progress(console) as progress:
        task = progress.add_task(str(context), total=None, rate="")

        def show(done: int, total: int) -> None:
            rate = f"{done / max(time.monotonic() - started, 0.001):,.0f} events/s"
            progress.update(task, completed=done, total=total, rate=rate)

        verified = await Verification(log, verifier, published).run(show)
    seconds = time.monotonic() - started
    if verifier is not None and verified.head and not verified.signed_upto and not verified.findings:
        notes.append("no head of it is signed: that its newest events were cut off would not show")
    _print(console, context, verified, seconds, notes)
    findings: list[dict[str, object]] = [asdict(finding) for finding in sorted(verified.findings)]
    return Report(str(context), verified.events, verified.head, verified.signed_upto, findings, round(seconds, 3), notes)


def _print(console: Console, context: ContextName, verified: Verified, seconds: float, notes: Sequence[str]) -> None:
    rate = verified.events / max(seconds, 0.001)
    told = f"{context}: {verified.events:,} events in {seconds:.1f} s ({rate:,.0f}/s)"
    first = verified.first
    if first is None:
        console.print(f"[green]✓[/] {told}, whole and unaltered, as signed up to {verified.signed_upto}")
    else:
        console.print(f"[red]✗[/] {told}")
        console.print(f"  first bad position: {first.position}: {first.what}", style="red", markup=False)
        for finding in sorted(verified.findings)[1:10]:
            console.print(f"  {finding.position}: {finding.what}", markup=False)
        if len(verified.findings) > 10:
            console.print(f"  … and {len(verified.findings) - 10} more")
    for note in notes:
        console.print(f"  note: {note}", style="yellow", markup=False)


def _verifier(public_keys: Sequence[Path], data_dir: Path, settings: Settings) -> Verifier | None:
    keys = [read_public_key(path) for path in public_keys]
    stack = running_stack(data_dir)
    if not keys and stack is not None:
        keys = [read_public_key(stack.public_key)]
    if not keys and settings.signing_key is not None:
        keys = [Signer(Path(settings.signing_key)).public]
    return Verifier.of(*keys) if keys else None


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"))
    return Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
