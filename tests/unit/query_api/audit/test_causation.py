"""Trees of causes and effects, across contexts."""

import pytest

from query_api.audit import causation
from query_api.audit.causation import Cause, causation_of
from schemas.data_ingestion.validation import SchemaRegistered
from schemas.errors import NotFound
from schemas.system import ContextName
from tests.unit.query_api.audit.event_log import EventLog

FIRST, SECOND = ContextName("shop", "first"), ContextName("shop", "second")
EVENT = SchemaRegistered(partner_id="a", json_schema={})


def shape(cause: Cause) -> tuple[str, list[object]]:
    return (cause.row.stream, [shape(effect) for effect in cause.effects])


async def test_the_tree_begins_at_the_first_cause_and_has_every_effect() -> None:
    logs = {FIRST: EventLog(FIRST), SECOND: EventLog(SECOND)}
    root = logs[FIRST].add("root", EVENT)
    left = logs[SECOND].add("left", EVENT, cause=root)
    logs[FIRST].add("right", EVENT, cause=root)
    logs[FIRST].add("elsewhere", EVENT, correlation="other")
    leaf = logs[SECOND].add("leaf", EVENT, cause=left)

    tree = await causation_of(logs, SECOND, leaf.position)

    assert (tree.correlation_id, tree.is_whole, tree.others) == ("c", True, 0)
    assert [shape(one) for one in tree.roots] == [("root", [("left", [("leaf", [])]), ("right", [])])]
    assert tree.as_json()["roots"][0]["effects"][0]["context"] == "shop.second"


async def test_another_tree_of_the_same_correlation_is_counted() -> None:
    log = EventLog(FIRST)
    log.add("mine", EVENT)
    log.add("theirs", EVENT)

    tree = await causation_of({FIRST: log}, FIRST, 1)

    assert ([one.row.stream for one in tree.roots], tree.others) == (["mine"], 1)


async def test_a_branch_that_is_too_deep_is_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causation, "_DEEPEST", 2)
    log, cause = EventLog(FIRST), None
    for n in range(5):
        cause = log.add(str(n), EVENT, cause=cause)

    tree = await causation_of({FIRST: log}, FIRST, 5)

    assert [shape(one) for one in tree.roots] == [("0", [("1", [("2", [])])]), ("3", [("4", [])])]
    assert not tree.is_whole


async def test_a_position_that_the_log_has_not_is_not_found() -> None:
    with pytest.raises(NotFound, match="has no position 1"):
        await causation_of({FIRST: EventLog(FIRST)}, FIRST, 1)
