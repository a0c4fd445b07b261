"""Verifies views: holds each against a fresh fold of its logs, at the positions at which the view stands."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from deploy.console.printing import counted
from deploy.operations.verify.report import Report, Teller
from projectors.projection import Projection
from projectors.verification import VerifiedView, ViewVerification
from schemas.catalog import ContextName
from streams.installation import Installation
from streams.log.reading import ReadableLog


async def verify_view(
    installation: Installation,
    logs: Mapping[ContextName, ReadableLog],
    projection: Projection[Any],
    teller: Teller,
    rebuild: Callable[[str], Awaitable[object]] | None,
) -> Report:
    """What came of one view; with ``rebuild``, of what is left wrong after that. Raises `Unavailable`."""
    started, repaired = time.monotonic(), None
    verification = ViewVerification(installation, projection, logs)

    async def look() -> VerifiedView:
        with teller.progress(f"view {verification.name}") as show:
            return await verification.run(show)

    verified = await look()
    if verified.found and rebuild is not None:
        await rebuild(verification.name)
        wrong = counted(verified.found, "wrong row")
        verified, repaired = await look(), f"rebuilt from the logs; the version with {wrong} is kept until it is discarded"
    return Report(
        repaired=repaired,
        part="view",
        name=verified.view,
        events=verified.events,
        facts={"rows": verified.rows, "parked": verified.parked},
        notes=[f"{counted(verified.parked, 'dead letter')} left out, of the view and of the proof"] if verified.parked else [],
        summary=f"each of {verified.rows:,} rows as the logs make it",
        found=verified.found,
        findings=[{"key": finding.key, "what": finding.kind} for finding in verified.findings],
        seconds=round(time.monotonic() - started, 3),
    )
