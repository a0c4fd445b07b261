"""The status of an installation as operators read it: everything, and what is wrong."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from pydantic import TypeAdapter

from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from deploy.operations.status.collecting import StatusCollector
from deploy.operations.status.health import Finding, Health, findings, first_sentence, health, out_of_reach
from deploy.operations.status.installation_status import InstallationStatus
from schemas.errors import CaudalError, Unavailable


class WholeStatus(Parameters):
    """The status of everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport(InstallationStatus):
    """A status with what is wrong."""

    health: Health
    sentence: str
    """The whole status in one sentence."""
    findings: list[Finding] = field(default_factory=list)
    """The most important one first."""

    @classmethod
    def of(cls, status: InstallationStatus, found: list[Finding]) -> "StatusReport":
        """Returns a status with what was found."""
        parts = {one.name: getattr(status, one.name) for one in fields(InstallationStatus)}
        return cls(health=health(found), sentence=first_sentence(status, found), findings=found, **parts)


async def status(installation: OpenInstallation, _: WholeStatus) -> StatusReport:
    """Says whether everything is healthy, and what is not."""
    collector = StatusCollector(installation)
    try:
        return await read_status(collector)
    finally:
        await collector.close()


async def read_status(collector: StatusCollector) -> StatusReport:
    """Returns the status with what is wrong; a database that is out of reach is one of the findings."""
    try:
        found = await collector.collect()
    except Unavailable as error:
        found = InstallationStatus(processes=await collector.processes())
        return StatusReport.of(found, out_of_reach(found, error.detail, datetime.now(UTC)))
    except CaudalError as error:
        found = InstallationStatus(processes=await collector.processes())
        return StatusReport.of(found, [Finding("attention", error.detail), *findings(found, datetime.now(UTC))])
    return StatusReport.of(found, findings(found, datetime.now(UTC)))


STATUS = Reading("status", WholeStatus, status, TypeAdapter(StatusReport))
