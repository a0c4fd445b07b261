"""The judgement of a status: what is wrong, in order of importance, and the sentence and the exit code that follow from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from deploy.console.printing import counted, duration, relative
from deploy.local.ports import LOOPBACK
from deploy.operations.status.installation_status import (
    SERVERS,
    InstallationStatus,
    LogStatus,
    ProcessStatus,
    SubscriptionStatus,
)
from streams.relay.unrelayed import unrelayed

STALLED_AFTER = timedelta(seconds=30)
"""A subscription needs attention if an event waits for longer."""
Severity = Literal["attention", "down"]
Health = Literal["healthy", "attention", "down"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, as a sentence, and what to do about it."""

    severity: Severity
    what: str
    advice: str = ""


def findings(status: InstallationStatus, now: datetime) -> list[Finding]:
    """Returns everything that is wrong; what is down comes first, and of that the servers, which the others need."""
    servers = [*_processes(status), *_broker(status)]
    found = [*servers, *_logs(status), *_subscriptions(status, now), *_views(status), *_sagas(status)]
    return sorted(found, key=lambda finding: finding.severity != "down")


def out_of_reach(status: InstallationStatus, why: str, now: datetime) -> list[Finding]:
    """Returns what is wrong if a database is out of reach: that comes first, unless the stack's own PostgreSQL is the cause."""
    found = findings(status, now)
    is_named = any(process.name == "postgres" and process.state != "ready" for process in status.processes)
    return found if is_named else [Finding("down", why), *found]


def health(found: Sequence[Finding]) -> Health:
    """Returns the worst severity of what was found."""
    if any(finding.severity == "down" for finding in found):
        return "down"
    return "attention" if found else "healthy"


def first_sentence(status: InstallationStatus, found: Sequence[Finding]) -> str:
    """Returns the whole status in one sentence."""
    match health(found):
        case "down":
            return f"Down: {found[0].what.rstrip('.')}."
        case "attention":
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return f"Needs attention: {found[0].what.rstrip('.')}{more}."
        case "healthy":
            processes = "all processes run, " if status.processes else ""
            return f"Healthy: {processes}{_progress(status)}."


def _progress(status: InstallationStatus) -> str:
    unpublished, lag = sum(log.head - log.relayed for log in status.logs), sum(one.lag for one in status.subscriptions)
    published = f"{counted(unpublished, 'event')} still to be published" if unpublished else "all events are published"
    return f"{published}, " + (
        f"subscriptions are {counted(lag, 'event')} behind" if lag else "all subscriptions are up to date"
    )


def _processes(status: InstallationStatus) -> Iterator[Finding]:
    for process in sorted(status.processes, key=lambda process: process.name not in SERVERS):
        if process.state != "ready":
            why = f" ({process.why})" if process.why else ""
            what = process.state if process.state == "does not answer" else f"is {process.state}"
            yield Finding(
                "down", f"{_called(process)} {what}{why}", f"see the log {relative(process.log)}" if process.log else ""
            )


def _broker(status: InstallationStatus) -> Iterator[Finding]:
    if status.broker is not None:
        yield Finding("down", status.broker, "see the broker's own log, and CAUDAL_BROKERS")


def _called(process: ProcessStatus) -> str:
    return f"{SERVERS[process.name]} {LOOPBACK}:{process.port}" if process.name in SERVERS else process.name


def _logs(status: InstallationStatus) -> Iterator[Finding]:
    for log in status.logs:
        if log.went_back:
            what = f"the log of {log.context} went back behind what was published, and is suspended"
            yield Finding("down", what, f"`caudal recover {log.context}`")
        elif log.owner is not None and log.problem is not None:
            yield Finding("attention", log.problem, "the other partitions are published: see docs/subscriptions.md")
    relay_is_not_ready = any(process.name == "relay" and process.state != "ready" for process in status.processes)
    if status.broker is None and not relay_is_not_ready:  # which says itself which logs it does not publish, and why
        yield from _unrelayed(status)
    if status.processes:
        yield from _foreign_relays(status.logs)


def _unrelayed(status: InstallationStatus) -> Iterator[Finding]:
    logs = status.logs
    without_owner = [log for log in logs if log.owner is None and not log.went_back]
    if without_owner:
        waiting = sum(log.head - log.relayed for log in without_owner)
        unpublished = f", {counted(waiting, 'event')} wait" if waiting else ""
        what = unrelayed([log.context for log in without_owner], len(logs))
        advice = "its relay takes them over within seconds" if status.processes else "start `caudal serve relay`"
        yield Finding("attention", f"{what}{unpublished}", advice)


def _foreign_relays(logs: Sequence[LogStatus]) -> Iterator[Finding]:
    """A local stack has one relay: a second owner of leases is one that outlived its stack, or has just been replaced."""
    owners = [log.owner for log in logs if log.owner is not None]
    if len(set(owners)) > 1:
        most = max(set(owners), key=owners.count)
        contexts = ", ".join(log.context for log in logs if log.owner not in (None, most))
        yield Finding(
            "attention",
            f"another relay publishes {contexts}",
            "if this does not end within the time of a lease, a process of an earlier stack still runs: end it",
        )


def _subscriptions(status: InstallationStatus, now: datetime) -> Iterator[Finding]:
    for name, parts in by_name(status.subscriptions).items():
        if any(part.is_blocked for part in parts):
            yield Finding(
                "attention", f"{name} is blocked by its dead letters", f"`caudal dead-letters list --subscription {name}`"
            )
        elif any(part.is_paused for part in parts):
            yield Finding("attention", f"{name} is paused", f"`caudal subscriptions resume {name} --apply`")
        elif (oldest := oldest_of(parts)) is not None and now - oldest > STALLED_AFTER:
            lag = counted(sum(part.lag for part in parts), "event")
            yield Finding("attention", f"{name} is {lag} and {duration(now - oldest)} behind", "`caudal status --watch`")
        if (dead_letters := dead_letters_of(parts)) and not any(part.is_blocked for part in parts):
            what = f"{name} has {counted(dead_letters, 'dead letter')}"
            yield Finding("attention", what, f"`caudal dead-letters list --subscription {name}`")


def _views(status: InstallationStatus) -> Iterator[Finding]:
    for view in status.views:
        if view.problem is not None:
            what, _, advice = view.problem.partition(": run ")
            yield Finding("attention", what, advice)
        if view.building is not None:
            advice = f"`caudal projections rebuild {view.name} --apply` continues a rebuild that was stopped"
            yield Finding("attention", f"{view.name} is being rebuilt as {view.building}", advice)


def _sagas(status: InstallationStatus) -> Iterator[Finding]:
    if stuck := status.sagas.stuck:
        are = "is" if len(stuck) == 1 else "are"
        yield Finding("attention", f"{counted(len(stuck), 'saga')} {are} stuck", "`caudal sagas list`")


def by_name(subscriptions: Sequence[SubscriptionStatus]) -> dict[str, list[SubscriptionStatus]]:
    """Returns the parts of each subscription: one for each context that it follows."""
    found: dict[str, list[SubscriptionStatus]] = {}
    for one in subscriptions:
        found.setdefault(one.name, []).append(one)
    return found


def oldest_of(parts: Sequence[SubscriptionStatus]) -> datetime | None:
    """Returns the time at which the oldest event was recorded that a subscription has not processed."""
    return min((part.oldest_at for part in parts if part.oldest_at is not None), default=None)


def dead_letters_of(parts: Sequence[SubscriptionStatus]) -> int:
    """Returns the number of open dead letters of a subscription."""
    return sum(part.dead_letters for part in parts)
