"""The recorded operations as text: who did what, why, and how it ended."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.operations.history import print_operations
from schemas.engine.operation_views import Operations

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PAUSE = Operations(
    run_id="1", operation="subscriptions/pause", parameters={"subscription": "todo.tasks"}, actor="ana", reason="a fault",
    outcome="done", began_at=NOW - timedelta(minutes=5),
)  # fmt: skip
REDRIVE = Operations(
    run_id="2", operation="dead-letters/redrive", parameters={"names": [], "stream": "task-1", "subscription": "todo.tasks"},
    actor="eva", outcome="incomplete", problem="1 dead letter still open", began_at=NOW - timedelta(hours=2),
)  # fmt: skip


def printed(*rows: Operations) -> list[str]:
    out = io.StringIO()
    print_operations([row.model_dump() for row in rows], Console(file=out, highlight=False, soft_wrap=True), NOW)
    return out.getvalue().splitlines()


def test_each_has_its_parameters_its_end_its_reason_and_its_problem() -> None:
    assert printed(PAUSE, REDRIVE, PAUSE.replace(outcome=None, reason="")) == [
        "  5 min ago  subscriptions/pause  todo.tasks  done, by ana",
        "             a fault",
        "    2 h ago  dead-letters/redrive  stream=task-1 subscription=todo.tasks  incomplete, by eva",
        "             1 dead letter still open",
        "  5 min ago  subscriptions/pause  todo.tasks  not ended, by ana",
    ]
    assert printed() == ["No operations are recorded."]
