"""The list of sagas: groups, short ids, those that are stuck first, 80 columns."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from deploy.operations.sagas.listing import in_order, saga_table

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def row(id: str, kind: str = "partner_alliances.onboarding", **fields: Any) -> dict[str, Any]:
    return {
        "saga_id": id,
        "saga": kind,
        "key": "0191d3a8-6e0e-7d55-9a55-0d3f2f6f5b10",
        "status": "running",
        "reason": None,
        "failed_compensations": {},
        "deferred": {},
        "in_flight": {},
        "timers": {},
        "updated_at": NOW - timedelta(hours=3),
        **fields,
    }


ROWS = [
    row("aaaaaaaa-6e0e-5d55", status="completed"),
    row("bbbbbbbb-6e0e-5d55", "partner_alliances.contract-term"),
    row("cccccccc-6e0e-5d55", deferred={"1": {"name": "ContractCreated", "problem": "a slip " * 20, "status": "failed"}}),
    row("dddddddd-6e0e-5d55", status="in_review", reason="a name on a list of sanctions"),
]


def test_stuck_sagas_come_first_and_a_resting_one_is_waiting() -> None:
    listed = in_order(ROWS, NOW, frozenset({"partner_alliances.contract-term"}))

    assert [one.stuck is not None for one in listed] == [True, False, False, False]
    assert {one.row["saga_id"][0]: one.status for one in listed} == {
        "a": "completed", "b": "waiting", "c": "running", "d": "in_review",
    }  # fmt: skip


def test_the_table_holds_at_80_columns_and_is_grouped() -> None:
    out = io.StringIO()
    listed = in_order(ROWS, NOW, frozenset({"partner_alliances.contract-term"}))
    Console(file=out, width=80, highlight=False).print(saga_table(listed, NOW))
    lines = out.getvalue().splitlines()

    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines if line.startswith("partner")] == [
        "partner_alliances.onboarding", "partner_alliances.contract-term",
    ]  # fmt: skip
    assert any(line.startswith("  cccccccc  …2f6f5b10  stuck") for line in lines)
    assert len(lines) <= 16, "nothing is folded to letters"
