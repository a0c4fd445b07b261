"""Verifies views: holds each against a fresh fold of its logs, at the positions at which the view stands."""

import time
from collections.abc import Mapping
from typing import Any

from deploy.verify.report import Report, Teller
from projectors.projection import Projection
from projectors.view_verification import ViewVerification
from schemas.catalog import Catalog, ContextName
from streams.log import ReadableLog
from streams.postgres import Databases
from streams.settings import Settings


async def verify_view(
    settings: Settings,
    catalog: Catalog,
    databases: Databases,
    logs: Mapping[ContextName, ReadableLog],
    system: str,
    projection: Projection[Any],
    teller: Teller,
) -> Report:
    """What came of one view. Raises `Unavailable`."""
    started = time.monotonic()
    verification = ViewVerification(settings, catalog, system, projection, databases, logs)
    with teller.progress(f"view {verification.name}") as show:
        verified = await verification.run(show)
    return Report(
        part="view",
        name=verified.view,
        events=verified.events,
        facts={"rows": verified.rows},
        summary=f"each of {verified.rows:,} rows as the logs make it",
        found=verified.found,
        findings=[{"key": finding.key, "what": finding.kind} for finding in verified.findings],
        seconds=round(time.monotonic() - started, 3),
    )
