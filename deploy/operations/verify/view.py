"""Verification of views against a new projection of their logs, up to the view's checkpoints."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from deploy.console.printing import counted
from deploy.operations.projections.table_shapes import shape_problem
from deploy.operations.run import Show
from deploy.operations.verify.report import Report
from projectors.projection import Projection
from projectors.verification import VerifiedView, ViewVerification
from schemas.system import ContextName
from streams.installation import Installation
from streams.log.reading import ReadableLog


async def verify_view(
    installation: Installation,
    logs: Mapping[ContextName, ReadableLog],
    projection: Projection[Any],
    show: Show,
    rebuild: Callable[[str], Awaitable[object]] | None,
) -> Report:
    """Verifies one view; with ``rebuild`` the report is of the state after it. Raises `Unavailable`."""
    started = time.monotonic()
    verification = ViewVerification(installation, projection, logs)
    store = installation.view_store(projection.home)
    repaired: str | None = None
    if (problem := await shape_problem(store, projection.home, projection.view)) is not None:
        if rebuild is None:
            # Its rows cannot be compared: they lack columns, or have others.
            return Report(part="view", name=verification.name, found=1, findings=[{"what": problem}])
        await rebuild(verification.name)
        repaired = "rebuilt from the logs with the columns that the installed code declares"
    verified = await _verified(verification, show)
    if verified.found and rebuild is not None:
        await rebuild(verification.name)
        wrong = counted(verified.found, "wrong row")
        repaired = f"rebuilt from the logs; the version with {wrong} is kept until it is discarded"
        verified = await _verified(verification, show)
    return _report_of(verified, repaired, time.monotonic() - started)


async def _verified(verification: ViewVerification, show: Show) -> VerifiedView:
    return await verification.run(show)


def _report_of(verified: VerifiedView, repaired: str | None, seconds: float) -> Report:
    return Report(
        repaired=repaired,
        part="view",
        name=verified.view,
        events=verified.events,
        facts={"rows": verified.rows, "parked": verified.parked},
        notes=[f"the view lacks {counted(verified.parked, 'dead letter')}"] if verified.parked else [],
        exceptions=verified.parked,
        summary=f"{counted(verified.rows, 'row')} as projected from the log",
        found=verified.found,
        findings=[{"key": finding.key, "what": finding.kind} for finding in verified.findings],
        seconds=round(seconds, 3),
    )
