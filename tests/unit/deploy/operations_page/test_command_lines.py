"""Command lines of the page: each leads to the operation and the parameters that its button would run."""

import shlex
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.commands.orders import carrying_out
from deploy.commands.orders.order import Order
from deploy.operations.declared import OPERATIONS
from deploy.operations_page.command_lines import command_line

GIVEN: list[tuple[str, dict[str, Any]]] = [
    ("subscriptions/pause", {"subscription": "todo.tasks"}),
    ("subscriptions/resume", {"subscription": "todo.tasks"}),
    ("subscriptions/reset", {"subscription": "todo.tasks", "to": "2026-01-31T12:00Z", "context": "todo.a", "keep_rows": True}),
    ("dead-letters/redrive", {"names": ("a b/c@1", "d")}),
    ("dead-letters/redrive", {"subscription": "todo.tasks", "stream": "task-it's"}),
    ("dead-letters/skip", {"stream": "task-1"}),
    ("projections/rebuild", {"view": "todo.tasks"}),
    ("projections/rebuild", {"view": "todo.tasks", "workers": 2, "restart": True, "switch": False}),
    ("projections/rollback", {"view": "todo.tasks", "other_shape": True}),
    ("projections/discard", {"view": "todo.tasks"}),
    ("sagas/retry", {"saga_id": "0191"}),
    ("sagas/cancel", {"saga_id": "0191"}),
    ("relay/backfill", {"context": "todo.a", "begin": "3", "end": "2026-01-31"}),
    ("recover", {"context": "todo.a"}),
    ("subjects/find", {"subject": "ana maría"}),
    ("subjects/erase", {"subject": "ana maría", "in_advance": True}),
    ("verify", {}),
    ("verify", {"require_signed": True, "repair": True}),
    ("verify", {"parts": ("log",), "names": ("todo.a", "todo.b")}),
    ("verify", {"parts": ("view",), "names": ("todo.tasks",)}),
]


@pytest.mark.parametrize(("name", "given"), GIVEN)
def test_it_runs_the_same(name: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    operation = OPERATIONS[name]
    parameters = operation.parameters(**given)
    orders: list[Order] = []

    async def carry_out(order: Order, **_: Any) -> int:
        orders.append(order)
        return 0

    monkeypatch.setattr(carrying_out, "carry_out", carry_out)
    _, *arguments = shlex.split(command_line(operation, parameters))
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.output
    assert [(order.operation.name, order.parameters) for order in orders] == [(name, parameters)]


def test_every_operation_has_one() -> None:
    assert {name for name, _ in GIVEN} == OPERATIONS.keys() - {"dead-letters/edit"}, "that one reads its data from a file"
    edit = OPERATIONS["dead-letters/edit"]
    assert command_line(edit, edit.parameters(name="a/b@1", data="{}")) == "caudal dead-letters edit a/b@1"
