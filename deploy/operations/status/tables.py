"""The status as text: the sentence, what is wrong, and a table each of processes, logs and subscriptions."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.console.printing import ago, counted, duration, grouped, grouped_by_system, table
from deploy.operations.status.health import (
    Finding,
    by_name,
    dead_letters_of,
    oldest_of,
)
from deploy.operations.status.installation_status import LogStatus, ProcessStatus, SubscriptionStatus
from deploy.operations.status.reading import StatusReport

_STYLES = {"healthy": "bold green", "attention": "bold yellow", "down": "bold red"}
_MAX_FINDINGS = 10


def report(status: StatusReport, now: datetime, *, everything: bool) -> RenderableType:
    """Returns the report; without ``everything`` it only counts logs without events and subscriptions that are up to date."""
    found = status.findings
    parts: list[RenderableType] = [Text(status.sentence, style=_STYLES[status.health])]
    parts += [_finding(finding) for finding in found[:_MAX_FINDINGS]]
    if len(found) > _MAX_FINDINGS:
        parts.append(Text(f"  … and {len(found) - _MAX_FINDINGS} more"))
    if status.processes:
        parts += [Text(), process_table(status.processes)]
    parts += [Text(), *_logs(status.logs, now, everything=everything)]
    parts += [Text(), *_subscriptions(status.subscriptions, now, everything=everything)]
    if status.sagas.running:
        parts += [Text(), Text(f"{counted(status.sagas.running, 'saga')} not ended, {len(status.sagas.stuck)} stuck.")]
    return Group(*parts)


def process_table(processes: Sequence[ProcessStatus]) -> Table:
    """Returns a table with a row for each process; why one is not ready is a finding."""
    shown = table("Process", "Port", "State", numbers=("Port",))
    for process in processes:
        style = "green" if process.state == "ready" else "bold red"
        shown.add_row(process.name, str(process.port), f"[{style}]{process.state}[/]")
    return shown


def _logs(logs: Sequence[LogStatus], now: datetime, *, everything: bool) -> list[RenderableType]:
    shown = [log for log in logs if everything or log.head or log.owner is None]
    return [*([log_table(shown, now)] if shown else []), *_hidden(len(logs) - len(shown), "log", "without events")]


def log_table(logs: Sequence[LogStatus], now: datetime) -> RenderableType:
    """Returns a table with a row for each log, under a heading for each system."""
    columns = ("Log", "Events", "Last event", "Unpublished", "Relay")
    groups = {
        system: [
            (
                name,
                f"{log.head:,}",
                ago(log.last_event_at, now) if log.last_event_at else "-",
                f"[yellow]{log.head - log.relayed:,}[/]" if log.head > log.relayed else "0",
                "[bold yellow]none[/]" if log.owner is None else "",
            )
            for name, log in named
        ]
        for system, named in grouped_by_system((log.context, log) for log in logs).items()
    }
    return grouped(columns, groups, columns[1:4])


def _subscriptions(subscriptions: Sequence[SubscriptionStatus], now: datetime, *, everything: bool) -> list[RenderableType]:
    every = by_name(subscriptions)
    shown = {name: parts for name, parts in every.items() if everything or _is_busy(parts)}
    hidden = _hidden(len(every) - len(shown), "subscription", "up to date")
    return [*([subscription_table(shown, now)] if shown else []), *hidden]


def subscription_table(shown_parts: dict[str, list[SubscriptionStatus]], now: datetime) -> RenderableType:
    """Returns a table with a row for each subscription, under a heading for each system."""
    columns = ("Subscription", "Behind", "Since", "Dead letters", "State")
    groups = {
        system: [_cells(name, parts, now) for name, parts in named]
        for system, named in grouped_by_system(shown_parts.items()).items()
    }
    return grouped(columns, groups, columns[1:4])


def _cells(name: str, parts: Sequence[SubscriptionStatus], now: datetime) -> Sequence[str]:
    lag, oldest, dead_letters = sum(part.lag for part in parts), oldest_of(parts), dead_letters_of(parts)
    return (
        name,
        f"{lag:,}",
        duration(now - oldest) if oldest else "-",
        f"[bold yellow]{dead_letters:,}[/]" if dead_letters else "0",
        _state(parts),
    )


def _state(parts: Sequence[SubscriptionStatus]) -> str:
    if any(part.is_blocked for part in parts):
        return "[bold red]blocked[/]"
    if any(part.is_paused for part in parts):
        return "[bold yellow]paused[/]"
    if dead_letters_of(parts):
        return "[yellow]lacks events[/]"
    return "behind" if any(part.lag for part in parts) else "[green]up to date[/]"


def _is_busy(parts: Sequence[SubscriptionStatus]) -> bool:
    return any(part.lag or part.is_paused or part.is_blocked or part.dead_letters for part in parts)


def _finding(finding: Finding) -> Text:
    style = "red" if finding.severity == "down" else "yellow"
    return Text.assemble((f"- {finding.what}", style), f": {finding.advice}" if finding.advice else "")


def _hidden(count: int, noun: str, why: str) -> list[Text]:
    return [Text(f"{counted(count, noun)} {why}; --all shows them.", style="dim")] if count else []
