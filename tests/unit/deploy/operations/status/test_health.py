"""`caudal status`: what is wrong, the first sentence, and the exit code."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.commands.status import EXIT_CODES
from deploy.operations.status.health import STALLED_AFTER, findings, first_sentence, health, out_of_reach
from deploy.operations.status.installation_status import (
    InstallationStatus,
    LogStatus,
    ProcessStatus,
    SagaStatus,
    SubscriptionStatus,
    ViewStatus,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RELAY = ProcessStatus("relay", 1, "ready")
LOG = LogStatus("todo.tasks", 7, 7, "relay-1")
TASKS = SubscriptionStatus("todo.tasks", "todo.tasks", [7], 0, is_paused=False, dead_letters=0)
HEALTHY = InstallationStatus([RELAY], [LOG], [TASKS], [ViewStatus("todo.tasks", None, None)])


def judged(status: InstallationStatus) -> tuple[int, str]:
    found = findings(status, NOW)
    return EXIT_CODES[health(found)], first_sentence(status, found)


def test_a_healthy_stack_is_said_to_be_healthy() -> None:
    said = "Healthy: all processes run, all events are published, all subscriptions are up to date."

    assert judged(HEALTHY) == (0, said)
    assert judged(replace(HEALTHY, processes=[])) == (0, said.replace("all processes run, ", ""))


def test_events_on_their_way_are_healthy_and_counted() -> None:
    recent = replace(TASKS, lag=3, oldest_at=NOW - timedelta(seconds=1))
    status = replace(HEALTHY, logs=[replace(LOG, head=9)], subscriptions=[recent])

    assert judged(status) == (
        0, "Healthy: all processes run, 2 events still to be published, subscriptions are 3 events behind.",
    )  # fmt: skip


def test_a_broker_that_does_not_answer_is_named_and_not_the_logs_that_no_relay_publishes() -> None:
    status = replace(HEALTHY, processes=[], logs=[replace(LOG, owner=None)], broker="no broker answers: kafka:9092")

    assert judged(status) == (2, "Down: no broker answers: kafka:9092.")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (replace(HEALTHY, subscriptions=[replace(TASKS, is_paused=True)]), "todo.tasks is paused"),
        (replace(HEALTHY, subscriptions=[replace(TASKS, dead_letters=2)]), "todo.tasks has 2 dead letters"),
        (
            replace(HEALTHY, subscriptions=[replace(TASKS, dead_letters=9, is_blocked=True)]),
            "todo.tasks is blocked by its dead letters",
        ),
        (
            replace(HEALTHY, subscriptions=[replace(TASKS, lag=5, oldest_at=NOW - 4 * STALLED_AFTER)]),
            "todo.tasks is 5 events and 2 min behind",
        ),
        (replace(HEALTHY, sagas=SagaStatus(3, {"1": "a slip"})), "1 saga is stuck"),
        (replace(HEALTHY, views=[ViewStatus("todo.tasks", "tasks_1", None)]), "todo.tasks is being rebuilt as tasks_1"),
        (
            replace(HEALTHY, views=[ViewStatus("todo.tasks", None, "the view todo.tasks has other columns: run `x`")]),
            "the view todo.tasks has other columns",
        ),
        (replace(HEALTHY, logs=[replace(LOG, owner=None)]), "1 of 1 logs is not relayed: todo.tasks"),
        (
            replace(HEALTHY, logs=[LOG, *(replace(LOG, context=name, owner=None, relayed=5) for name in ("todo.x", "todo.y"))]),
            "2 of 3 logs are not relayed: todo.x, todo.y, 4 events wait",
        ),
        (replace(HEALTHY, logs=[replace(LOG, owner=None)] * 12), "none of 12 logs is relayed"),
        (
            replace(HEALTHY, logs=[replace(LOG, problem="partition 1 of t is not published from position 7 on: too large")]),
            "partition 1 of t is not published from position 7 on: too large",
        ),
        (
            replace(HEALTHY, logs=[LOG, LOG, replace(LOG, context="engine.privacy", owner="relay-0")]),
            "another relay publishes engine.privacy",
        ),
    ],
)
def test_the_first_sentence_and_the_exit_code_say_if_something_needs_attention(status: InstallationStatus, said: str) -> None:
    assert judged(status) == (1, f"Needs attention: {said}.")


def test_dead_letters_come_with_the_command_that_lists_them() -> None:
    (finding,) = findings(replace(HEALTHY, subscriptions=[replace(TASKS, dead_letters=2)]), NOW)

    assert finding.advice == "`caudal dead-letters list --subscription todo.tasks`"


def test_parts_that_are_down_are_named_before_those_that_need_attention() -> None:
    status = replace(
        HEALTHY,
        processes=[RELAY, ProcessStatus("worker", 2, "not ready", "no partitions")],
        subscriptions=[replace(TASKS, is_paused=True)],
    )

    assert judged(status) == (2, "Down: worker is not ready (no partitions).")
    assert [finding.severity for finding in findings(status, NOW)] == ["down", "attention"]


def test_several_findings_are_counted() -> None:
    status = replace(HEALTHY, subscriptions=[replace(TASKS, is_paused=True, dead_letters=1)])

    assert judged(status)[1] == "Needs attention: todo.tasks is paused (and 1 more)."


def test_the_dead_letters_of_the_contexts_that_a_subscription_follows_are_added() -> None:
    status = replace(HEALTHY, subscriptions=[replace(TASKS, dead_letters=3), replace(TASKS, context="todo.x", dead_letters=2)])

    assert judged(status)[1] == "Needs attention: todo.tasks has 5 dead letters."


def test_several_relays_are_normal_without_a_local_stack() -> None:
    status = replace(HEALTHY, processes=[], logs=[LOG, replace(LOG, context="todo.x", owner="relay-2")])

    assert judged(status)[0] == 0


def test_a_server_that_does_not_answer_is_named_first_with_its_address() -> None:
    relay = ProcessStatus("relay", 5104, "not ready", "none of 12 logs is relayed (no broker answers)")
    status = replace(HEALTHY, processes=[relay, ProcessStatus("broker", 19092, "does not answer")])

    assert judged(status) == (2, "Down: the broker 127.0.0.1:19092 does not answer.")


def test_logs_that_are_not_relayed_are_named_once() -> None:
    relay = ProcessStatus("relay", 5104, "not ready", "2 of 3 logs are not relayed: todo.x, todo.y (no broker answers)")
    logs = [LOG, *(replace(LOG, context=name, owner=None) for name in ("todo.x", "todo.y"))]

    said = [finding.what for finding in findings(replace(HEALTHY, processes=[relay], logs=logs), NOW)]

    assert said == ["relay is not ready (2 of 3 logs are not relayed: todo.x, todo.y (no broker answers))"]


@pytest.mark.parametrize("folder", [Path.cwd(), Path("/var/lib/caudal")])
def test_the_log_of_a_process_is_named_by_its_path(folder: Path) -> None:
    log = str(folder / ".caudal" / "logs" / "worker.log")

    (finding,) = findings(replace(HEALTHY, processes=[RELAY, ProcessStatus("worker", 2, "down", log=log)]), NOW)

    assert finding.advice == f"see the log {'.caudal/logs/worker.log' if folder == Path.cwd() else log}"


def test_a_database_out_of_reach_is_named_once_and_first() -> None:
    why = "PostgreSQL is out of reach: CannotConnectNowError: the database system is starting up"
    worker = ProcessStatus("worker", 2, "not ready", why)
    postgres = ProcessStatus("postgres", 15432, "not ready", "the database system is starting up")

    alone = out_of_reach(InstallationStatus([worker]), why, NOW)
    with_server = out_of_reach(InstallationStatus([worker, postgres]), why, NOW)

    assert [finding.what for finding in alone] == [why, f"worker is not ready ({why})"]
    assert [finding.what for finding in with_server] == [
        "PostgreSQL 127.0.0.1:15432 is not ready (the database system is starting up)", f"worker is not ready ({why})",
    ]  # fmt: skip


def test_a_reason_that_ends_with_a_full_stop_gets_no_second_one() -> None:
    status = replace(HEALTHY, views=[ViewStatus("todo.tasks", None, "the view has other columns.")])

    assert judged(status)[1] == "Needs attention: the view has other columns."
