"""Verifies that whoever is recorded as forgotten has no key and gets none: a backup of the keys may have brought one back."""

from deploy.console.printing import counted
from deploy.operations.verify.report import Report
from schemas.catalog import ContextName
from schemas.engine.privacy import CONTEXT, SubjectForgotten
from schemas.engine.processes import SYSTEM
from streams.encryption.subject_keys import SubjectKeys
from streams.log.reading import ReadableLog

HOME = ContextName(SYSTEM, CONTEXT)
_AT_ONCE = 1000


async def verify_forgotten(report: Report, log: ReadableLog, keys: SubjectKeys, *, repair: bool) -> None:
    """Adds a finding for each subject that has or could get a key though it was forgotten; ``repair`` destroys that again."""
    after, destroyed = 0, 0
    while rows := await log.read(after, _AT_ONCE):
        after = rows[-1].position
        forgotten = {SubjectForgotten.model_validate_json(row.data).subject: row.position for row in rows}
        for subject in await keys.not_forgotten(forgotten):
            if repair:
                await keys.forget(subject)
                destroyed += 1
            else:
                report.findings.append(
                    {"position": forgotten[subject], "what": f"{subject} was forgotten and has a key, or could get one"}
                )
                report.found += 1
    if destroyed:
        report.repaired = f"forgot {counted(destroyed, 'subject')} again"
