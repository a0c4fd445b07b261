"""Verification that erased data subjects have no key and get none: a restored backup of the keys may hold one."""

from deploy.console.printing import counted
from deploy.operations.verify.report import Report
from schemas.engine.privacy import CONTEXT, SubjectErased
from schemas.system import ENGINE, ContextName
from streams.encryption.subject_keys import SubjectKeys
from streams.log.reading import ReadableLog, log_events

HOME = ContextName(ENGINE, CONTEXT)
_BATCH_SIZE = 1000


async def verify_erased(report: Report, log: ReadableLog, keys: SubjectKeys, *, repair: bool) -> None:
    """Adds a finding for each erased subject that has or could get a key; ``repair`` erases it again instead."""
    destroyed = 0
    async for rows in log_events(log, limit=_BATCH_SIZE):
        erased = {SubjectErased.model_validate_json(row.data).subject: row.position for row in rows}
        for subject in await keys.not_erased(erased):
            if repair:
                await keys.erase(subject)
                destroyed += 1
            else:
                report.findings.append(
                    {"position": erased[subject], "what": f"{subject} was erased and has a key, or could get one"}
                )
                report.found += 1
    if destroyed:
        report.repaired = f"erased {counted(destroyed, 'subject')} again"
