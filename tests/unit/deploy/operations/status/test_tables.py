"""The status as text: it holds at 80 columns and hides what is idle."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.operations.status.health import findings
from deploy.operations.status.installation_status import (
    InstallationStatus,
    LogStatus,
    ProcessStatus,
    SagaStatus,
    SubscriptionStatus,
)
from deploy.operations.status.reading import StatusReport
from deploy.operations.status.tables import report

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LOG = LogStatus("partner_alliances.integrations", 1_234_567, 1_234_500, "local-01a2", NOW - timedelta(seconds=3))
IDLE = SubscriptionStatus("partner_alliances.records", "partner_alliances.a", [0, 0], 0, is_paused=False, dead_letters=0)
BUSY = replace(
    IDLE, name="partner_alliances.validate-what-is-ingested", lag=123_456, oldest_at=NOW - timedelta(minutes=5), dead_letters=12
)
STATUS = InstallationStatus(
    [ProcessStatus("command-api", 5001, "ready"), ProcessStatus("worker", 5103, "not ready", "no partitions are assigned")],
    [LOG, replace(LOG, context="engine.privacy", head=0, relayed=0, last_event_at=None)],
    [IDLE, BUSY, replace(BUSY, context="partner_alliances.b")],
    sagas=SagaStatus(3, {"1": "late"}),
)


def printed(status: InstallationStatus, *, everything: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False)
    console.print(report(StatusReport.of(status, findings(status, NOW)), NOW, everything=everything))
    return out.getvalue()


def test_it_holds_at_80_columns_with_a_row_for_each_subscription() -> None:
    said = printed(STATUS, everything=True)

    assert max(len(line.rstrip()) for line in said.splitlines()) <= 80
    row = next(line for line in said.splitlines() if line.startswith("  validate-what-is-ingested"))
    assert row.split()[1:] == ["246,912", "5", "min", "24", "lacks", "events"]
    assert "1,234,567" in said
    assert "3 s ago" in said


def test_idle_rows_are_counted_and_hidden() -> None:
    said = printed(STATUS, everything=False)

    assert "records" not in said
    assert "1 log without events; --all shows them." in said
    assert "1 subscription up to date; --all shows them." in said
    assert "records" in printed(STATUS, everything=True)


def test_the_first_line_and_the_findings_come_before_the_tables() -> None:
    lines = printed(STATUS, everything=False).splitlines()

    assert lines[0].startswith("Down: worker is not ready (no partitions are assigned)")
    assert "- worker is not ready" in "\n".join(lines)
    assert "3 sagas not ended, 1 stuck." in lines[-1]
