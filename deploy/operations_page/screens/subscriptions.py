"""Subscriptions: what follows the logs, and how far it is."""

from datetime import UTC, datetime, timedelta

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
            "parts": own,
        }
        for name, own in parts.items()
        if asked.query.get("name", "") in name
    ]
    rows.sort(key=lambda row: (not (row["is_blocked"] or row["is_paused"] or row["dead_letters"]), -int(str(row["lag"]))))
    now = datetime.now(UTC)
    late = [row for row in rows if _is_late(row["oldest"], now)]
    troubled = [row for row in rows if row["is_paused"] or row["is_blocked"] or row["dead_letters"]]
    if troubled or late:
        said = f"{counted(len({row['name'] for row in (*troubled, *late)}), 'subscription')} need attention."
        return Shown(said.replace("1 subscription need ", "1 subscription needs "), "warning", {"rows": rows})
    return Shown(f"{counted(len(rows), 'subscription')} keep up with the logs.", "good", {"rows": rows})


def _is_late(oldest: object, now: datetime) -> bool:
    return isinstance(oldest, datetime) and now - oldest > max(STALLED_AFTER, timedelta())


SCREEN = Screen("/subscriptions", "subscriptions", "Subscriptions", "Who is behind?", show, OPERATORS)
