"""`caudal status`: in a sentence or two first."""

import pytest

from deploy.operations.status import LogStatus, ProcessStatus, SubscriptionStatus, _summary

RELAY, WORKER = ProcessStatus("relay", 1, "ready"), ProcessStatus("worker", 2, "not ready")
LOG = LogStatus("todo.tasks", 7, 7, "relay")
TASKS = SubscriptionStatus("todo.tasks", "todo.tasks", [7], 0, is_paused=False, dead_letters=0)


@pytest.mark.parametrize(
    ("processes", "head", "lag", "dead_letters", "said"),
    [
        ([RELAY], 7, 0, 0, "Every process is at work. Every event is published, and followed by all that follow it."),
        ([], 7, 0, 0, "Every event is published, and followed by all that follow it."),
        (
            [RELAY, WORKER],
            9,
            3,
            0,
            "Not at work: worker. 2 events to be published, 3 to be followed by one subscription or another.",
        ),
        (
            [RELAY],
            7,
            0,
            1,
            "Every process is at work. Every event is published, and followed by all that follow it. "
            "1 dead letter: `caudal dead-letters list` shows them.",
        ),
    ],
)
def test_how_it_is(processes: list[ProcessStatus], head: int, lag: int, dead_letters: int, said: str) -> None:
    log = LogStatus(LOG.context, head, LOG.relayed, LOG.owner)
    followed = SubscriptionStatus(TASKS.name, TASKS.context, TASKS.checkpoint, lag, is_paused=False, dead_letters=dead_letters)

    assert _summary(processes, [log], [followed]) == said
