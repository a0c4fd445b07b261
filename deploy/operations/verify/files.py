"""Verification of the files that events name: each is there, and has the content that was recorded."""

import time
from collections.abc import Sequence

from deploy.console.printing import counted
from deploy.operations.run import Show
from deploy.operations.verify.report import Report
from schemas.catalog import Catalog
from schemas.errors import Damaged, Misconfigured
from schemas.system import ContextName, stored_names
from schemas.values.files import KeptFile, files_in, may_keep_files
from streams.integrations.files import Files
from streams.log.reading import ReadableLog, log_events
from streams.log.stored_events import decode
from streams.settings import Settings

_MAX_FINDINGS = 1000


def contexts_with_files(contexts: Sequence[ContextName], catalog: Catalog) -> list[ContextName]:
    """Returns the contexts of which an event may name a file."""
    return [context for context in contexts if _names_of(context, catalog)]


async def verify_files(settings: Settings, catalog: Catalog, context: ContextName, log: ReadableLog, show: Show) -> Report:
    """Reads each file that a context's events name, once, and not those that a later event says to be deleted.

    Raises `Unavailable` if the files are out of reach.
    """
    started, names = time.monotonic(), _names_of(context, catalog)
    report, total = Report(part="file", name=str(context)), (await log.head()).position
    kept: dict[str, tuple[KeptFile, int]] = {}
    async for rows in log_events(log):
        for row in rows:
            if row.type in names:
                report.events += 1
                for file in files_in(decode(row, context, catalog).data):
                    if isinstance(file, KeptFile):
                        kept.setdefault(file.key, (file, row.position))
                    else:
                        kept.pop(file.key, None)
        show(rows[-1].position, total)
    for file, position in kept.values():
        await _check(file, position, settings, report)
    report.facts = {"files": len(kept)}
    report.summary = f"{counted(len(kept), 'file')} as recorded"
    report.seconds = time.monotonic() - started
    return report


async def _check(file: KeptFile, position: int, settings: Settings, report: Report) -> None:
    try:
        async for _ in await Files.of(settings).read(file.key, size=file.bytes, sha256=file.sha256):
            pass
    except (Damaged, Misconfigured) as error:
        report.found += 1
        if len(report.findings) < _MAX_FINDINGS:
            report.findings.append({"position": position, "what": error.detail})


def _names_of(context: ContextName, catalog: Catalog) -> set[str]:
    """Returns the names under which the log holds events that may name a file."""
    events = catalog.context(context).events
    return {name for event in events if may_keep_files(event) for name in stored_names(event)}
