"""Sagas: those that are stuck first, and one with its steps."""

from deploy.console.printing import counted
from deploy.operations.operation import OPERATORS
from deploy.operations.sagas.listing import SagaFilter, Which, list_sagas
from deploy.operations.sagas.reading import OneSaga, definitions
from deploy.operations.sagas.timeline import show_saga
from deploy.operations_page.screen import Asked, Screen, Shown, Tone

_MAX = 200
_WHICH: dict[str, Which] = {"running": "running", "ended": "ended", "all": "all"}
_TONES: dict[str, Tone] = {"completed": "good", "failed": "bad", "cancelled": "warning", "compensating": "warning"}


async def show(asked: Asked) -> Shown:
    """Shows the sagas that the filter chooses."""
    which = _WHICH.get(asked.query.get("which", ""), "running")
    chosen = SagaFilter(kind=asked.query.get("kind") or None, which=which, limit=_MAX)
    found = await list_sagas(asked.installation, chosen)
    kinds = sorted(definitions(asked.installation.catalog))
    values = {"sagas": found.rows, "found": found.found, "chosen": chosen, "kinds": kinds}
    if stuck := sum(one.stuck is not None for one in found.rows):
        return Shown(f"{counted(stuck, 'saga')} of {found.found:,} {'is' if stuck == 1 else 'are'} stuck.", "bad", values)
    if not found.found:
        return Shown("There are no such sagas." if which != "running" else "No saga runs.", "good", values)
    return Shown(f"{counted(found.found, 'saga')}, none is stuck.", "good", values)


async def show_one(asked: Asked) -> Shown:
    """Shows one saga with its steps."""
    saga = await show_saga(asked.installation, OneSaga(saga_id=asked.path["saga_id"]))
    status = saga.status.replace("_", " ")
    said = (
        f"Stuck: {saga.stuck}." if saga.stuck else f"It is {status}{': ' + saga.row['reason'] if saga.row['reason'] else ''}."
    )
    tone: Tone = "bad" if saga.stuck else _TONES.get(saga.status, "plain")
    return Shown(said, tone, {"saga": saga}, title=f"{saga.row['saga']} {saga.row['key']}")


SCREENS = (
    Screen("/sagas", "sagas", "Sagas", "Which work across services is stuck?", show, OPERATORS),
    Screen(
        "/sagas/{saga_id}", "saga", "Saga", "What has it done, and what is it waiting for?", show_one, OPERATORS, in_menu=False
    ),
)
