"""Subscriptions: what follows the logs, and how far it is."""

from datetime import UTC, datetime

from deploy.console.printing import counted
from deploy.operations.operation import OPERATORS
from deploy.operations.status.collecting import StatusCollector
from deploy.operations.status.health import STALLED_AFTER, by_name, dead_letters_of, oldest_of
from deploy.operations_page.screen import Asked, Screen, Shown


async def show(asked: Asked) -> Shown:
    """Shows every projection and policy, those that need attention first."""
    installation = asked.installation
    collector = StatusCollector(installation)
    try:
        parts = by_name(await collector.subscriptions())
    finally:
        await collector.close()
    kinds = {one.name: one.kind for one in installation.subscriptions}
    rows = [
        {
            "name": name,
            "kind": kinds[name],
            "lag": sum(part.lag for part in own),
            "oldest": oldest_of(own),
            "dead_letters": dead_letters_of(own),
            "is_paused": any(part.is_paused for part in own),
            "is_blocked": any(part.is_blocked for part in own),
        }
        for name, own in parts.items()
        if asked.query.get("name", "") in name
    ]
    rows.sort(key=lambda row: (not (row["is_blocked"] or row["is_paused"] or row["dead_letters"]), -int(str(row["lag"]))))
    now = datetime.now(UTC)
    late = [row for row in rows if _is_late(row["oldest"], now)]
    troubled = [row for row in rows if row["is_paused"] or row["is_blocked"] or row["dead_letters"]]
    if troubled or late:
        count = len({row["name"] for row in (*troubled, *late)})
        need = "needs" if count == 1 else "need"
        return Shown(f"{counted(count, 'subscription')} {need} attention.", "warning", {"rows": rows})
    return Shown(f"{counted(len(rows), 'subscription')} keep up with the logs.", "good", {"rows": rows})


def _is_late(oldest: object, now: datetime) -> bool:
    return isinstance(oldest, datetime) and now - oldest > STALLED_AFTER


SCREEN = Screen("/subscriptions", "subscriptions", "Subscriptions", "Who is behind?", show, OPERATORS)
