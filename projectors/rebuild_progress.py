"""Progress of rebuilds: a metric of every process that keeps views, also of rebuilds that run elsewhere."""

import asyncio
from collections.abc import Sequence

import structlog
from prometheus_client import Gauge

from projectors.rebuild import Rebuild, total
from schemas.errors import Unavailable
from streams.telemetry.retrying import every

_log = structlog.get_logger()
_INTERVAL_SECONDS = 2.0

REMAINING = Gauge(
    "caudal_rebuild_remaining_positions", "How far a version that is being built is behind the live view; else 0.", ["view"]
)


class RebuildProgress:
    """Measures the rebuilds of some views."""

    def __init__(self, rebuilds: Sequence[Rebuild]) -> None:
        self._rebuilds = rebuilds

    async def run(self) -> None:
        """Runs until cancelled, through outages of the database."""
        await every(_INTERVAL_SECONDS, self._measure, "rebuild measurement")

    async def _measure(self) -> None:
        await asyncio.gather(*map(_note_remaining, self._rebuilds))


async def _note_remaining(rebuild: Rebuild) -> None:
    try:
        REMAINING.labels(rebuild.name).set(await _remaining(rebuild))
    except Unavailable as error:  # the others may be in other databases
        _log.debug("rebuild measurement failed", view=rebuild.name, why=error.detail)


async def _remaining(rebuild: Rebuild) -> int:
    building = (await rebuild.view.versions()).building
    if building is None:
        return 0
    return max(0, total(await rebuild.view.positions()) - total(await rebuild.view.positions_of(building)))
