"""The operations that were recorded: who did what, and why."""

from deploy.console.printing import counted
from deploy.operations.history import LIST, HistoryFilter, list_operations
from deploy.operations_page.screen import Asked, Screen, Shown

_MAX = 200


async def show(asked: Asked) -> Shown:
    """Shows the newest operations."""
    chosen = HistoryFilter(operation=asked.query.get("operation") or None, actor=asked.query.get("actor") or None, limit=_MAX)
    rows = await list_operations(asked.installation, chosen)
    if not rows:
        return Shown("No operator has changed anything.", "plain", {"rows": rows, "chosen": chosen})
    return Shown(f"The newest {counted(len(rows), 'operation')}.", "plain", {"rows": rows, "chosen": chosen})


SCREEN = Screen("/operations", "history", "Operations", "Who has changed something, and why?", show, LIST.access)
