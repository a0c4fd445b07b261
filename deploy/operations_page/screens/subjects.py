"""Data subjects: their erasure, and those that were erased."""

from deploy.console.printing import counted
from deploy.operations.subjects.erasing import ERASE
from deploy.operations_page.screen import Asked, Screen, Shown
from schemas.engine.privacy import CONTEXT, SubjectErased
from schemas.system import ENGINE, ContextName
from streams.log.reading import PostgresLog

_SHOWN = 100


async def show(asked: Asked) -> Shown:
    """Shows the newest erasures."""
    home = ContextName(ENGINE, CONTEXT)
    log = PostgresLog(asked.installation.within("caudal_reader").log_store(home), home)
    head = (await log.head()).position
    rows = await log.read(max(0, head - _SHOWN), _SHOWN)
    erased = [
        {"subject": SubjectErased.model_validate_json(row.data).subject, "at": row.recorded_at, "position": row.position}
        for row in reversed(rows)
    ]
    return Shown(f"{counted(head, 'data subject')} erased.", "plain", {"erased": erased})


SCREEN = Screen("/subjects", "subjects", "Subjects", "Whose data can never be read again?", show, ERASE.access)
