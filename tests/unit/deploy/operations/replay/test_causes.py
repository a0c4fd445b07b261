"""The tree of causes: the event that was asked for is marked also without colours, the engine's own events are left out."""

import io
from datetime import UTC, datetime
from uuid import UUID

import orjson
from rich.console import Console

from deploy.operations.replay.causes import tree_of
from query_api.audit.causation import CausationTree, Cause
from schemas.system import ContextName
from streams.log.stored_events import StoredEvent

TODO, ENGINE = ContextName("todo", "tasks"), ContextName("engine", "sagas")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def cause(context: ContextName, type: str, position: int, *effects: Cause) -> Cause:
    metadata = orjson.dumps({"command_id": str(UUID(int=1)), "correlation_id": "c", "command": "add-task", "actor": "ann"})
    fields = {
        "position": position, "stream": "task-1", "version": 1, "id": UUID(int=position), "type": type, "partition": 0,
        "schema_version": 1, "data": "{}", "metadata": metadata.decode(), "recorded_at": NOW,
    }  # fmt: skip
    values = {name: fields.get(name) for name in StoredEvent._fields}
    return Cause(context, StoredEvent(**values), list(effects))  # type: ignore[arg-type]


TREE = CausationTree(
    "c", [cause(TODO, "TaskAdded", 1, cause(ENGINE, "SagaAdvanced", 2, cause(TODO, "TaskDone", 3)))], 0, is_whole=True
)


def printed(*, everything: bool) -> str:
    out = io.StringIO()
    Console(file=out, width=120, highlight=False).print(tree_of(TREE, (TODO, 3), everything=everything))
    return out.getvalue()


def test_the_event_is_marked_and_the_engines_own_are_left_out() -> None:
    said = printed(everything=False)

    assert "→ TaskDone (todo.tasks 3, task-1 1), add-task by ann" in said
    assert "→ TaskAdded" not in said
    assert "SagaAdvanced" not in said


def test_everything_can_be_shown() -> None:
    assert "SagaAdvanced (engine.sagas 2" in printed(everything=True)
