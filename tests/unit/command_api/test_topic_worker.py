"""The topic worker: what is tried again, what is parked, with or without a receipt, and what is left to its policy."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from aggregates.scenario import MIDNIGHT
from schemas.engine.sagas import AdvanceSaga, SagaInput
from schemas.envelope import CommandEnvelope
from schemas.errors import Conflict, Invalid, Rejected, SchemaMismatch, Unavailable
from schemas.system import ContextName
from streams.commands.handled_commands import Expired, digest
from streams.subscriptions.process_deaths.attempts import Attempt
from tests.unit.command_api.known import Known
from tests.unit.command_api.one_process import BODY, Handled, Outside, Table, handle, process, record
from tests.unit.swallowing import is_never_lost

real_sleep = asyncio.sleep


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None:
        await real_sleep(0)

    monkeypatch.setattr("streams.telemetry.retrying.asyncio.sleep", sleep)


@pytest.mark.parametrize("error", [Unavailable(), Conflict("raced"), SchemaMismatch("migrate"), Unavailable()])
async def test_what_may_succeed_later_is_tried_again_and_never_parked(error: Exception) -> None:
    outside, id = Outside(), uuid4()
    outside.errors = [error] * 30

    await handle(outside, record(id))

    assert (outside.handled, outside.parked, outside.answered) == ([id], [], [])


async def test_a_rejected_command_is_done() -> None:
    outside = Outside()
    outside.errors = [Rejected("no")]

    await handle(outside, record(uuid4()))

    assert (outside.parked, outside.answered) == ([], [])


@pytest.mark.parametrize("body", [b"{}", b"nonsense", b""])
async def test_an_invalid_command_is_parked_once_with_a_receipt_through_outages(body: bytes) -> None:
    outside, id = Outside(), uuid4()
    outside.outages_of_answers = 20

    await handle(outside, record(id, body))

    assert len(outside.parked) == 1
    assert [answered for answered, _ in outside.answered] == [id]


@pytest.mark.parametrize(("levels", "is_handled"), [(64, True), (72, True), (73, False)])
async def test_a_command_may_be_nested_deeper_than_the_body_of_a_client_which_its_event_holds(
    levels: int, is_handled: bool
) -> None:
    outside, id = Outside(), uuid4()
    lists = levels - 2  # the document and the payload are levels too

    await handle(outside, record(id, b'{"partner_id": "acme", "payload": {"n": ' + b"[" * lists + b"]" * lists + b"}}"))

    assert (outside.handled, len(outside.parked)) == (([id], 0) if is_handled else ([], 1))


async def test_an_invalid_value_that_only_the_log_finds_has_a_receipt() -> None:
    outside, id = Outside(), uuid4()
    outside.errors = [Invalid("a value is out of PostgreSQL's range")]

    await handle(outside, record(id))

    assert outside.answered == [(id, "a value is out of PostgreSQL's range")]


async def test_a_command_on_which_the_decision_raises_can_be_sent_again() -> None:
    outside, id = Outside(), uuid4()
    outside.errors = [KeyError("a slip")]

    await handle(outside, record(id))
    assert (len(outside.parked), outside.answered) == (1, []), "no receipt says that this is final"

    await handle(outside, record(id))
    assert outside.handled == [id]


async def test_a_command_of_a_policy_on_which_the_decision_raises_is_left_to_the_policy() -> None:
    outside = Outside()
    outside.errors = [KeyError("a slip")]

    await handle(outside, record(uuid4(), policy=b"data_ingestion.validate"))

    assert (outside.parked, outside.answered) == ([], [])


@pytest.mark.parametrize("age_days", [-400, 0, 8, 400])
async def test_no_clock_keeps_a_command_from_being_handled(age_days: float) -> None:
    outside, id = Outside(), uuid4()

    await handle(outside, record(id, age_days=age_days))

    assert (outside.handled, outside.parked) == ([id], [])


async def test_commands_that_come_again_are_parked_if_their_receipts_may_have_expired_and_answered_if_they_have_one() -> None:
    outside, ids = Outside(), [uuid4() for _ in range(5)]
    batch = [record(id, offset=n) for n, id in enumerate(ids)]
    outside.receipts, outside.topic = {ids[1]}, {2: batch[2]}
    worker = process(outside, handled=Handled(expired=batch[2]))

    await worker._handle_batch(batch[:2])
    await worker._handle_batch(batch[2:])

    assert outside.parked == ["ReceiptExpired: it may have been handled before: receipts of its time have been dropped"] * 2
    assert outside.answered == [], "it can be sent again"
    assert outside.handled == [ids[1], *ids[3:]]
    assert outside.is_known == [True, False, False]


@pytest.mark.parametrize("at_that_offset", [None, record(uuid4(), offset=2)])
async def test_the_offsets_of_a_topic_that_was_created_anew_say_nothing(at_that_offset: Any) -> None:
    outside, ids = Outside(), [uuid4() for _ in range(3)]
    outside.topic, handled = {2: at_that_offset}, Handled(expired=record(uuid4(), offset=2))

    await handle(outside, *(record(id, offset=n) for n, id in enumerate(ids)), handled=handled)

    assert (outside.handled, outside.parked, handled.last, handled.up_to) == (ids, [], None, 2)


async def test_offsets_that_are_lost_while_it_runs_are_noticed() -> None:
    outside, ids, handled = Outside(), [uuid4() for _ in range(2)], Handled()
    batch = [record(id, offset=n) for n, id in enumerate(ids)]
    worker = process(outside, handled=handled)
    await worker._handle_batch(batch)
    handled.last, outside.topic = Expired(1, digest(batch[1])), {1: batch[1]}  # the receipts are dropped meanwhile

    await worker._handle_batch(batch)

    assert (outside.handled, len(outside.parked)) == (ids, 2)


async def test_commands_that_have_receipts_are_known_before_they_are_handled() -> None:
    outside, old, new = Outside(), uuid4(), uuid4()
    outside.receipts = {old}

    await handle(outside, record(old), record(new))

    assert outside.is_known == [True, False]


async def test_a_time_of_the_future_is_not_believed() -> None:
    outside = Outside()
    seen: list[Any] = []

    async def note(command: CommandEnvelope[Any], *, is_known: bool) -> None:
        seen.append(command.at)

    outside.handle = note  # type: ignore[method-assign]
    of_the_future, of_the_past = record(uuid4()), record(uuid4())
    of_the_future.headers.append(("ce_time", b"9999-01-01T00:00:00+00:00"))
    of_the_past.headers.append(("ce_time", b"2020-01-01T00:00:00+00:00"))

    await handle(outside, of_the_future, of_the_past)

    assert seen[0].timestamp() <= time.time()
    assert seen[1].year == 2020


def newer(what: str, *, policy: bytes | None = None) -> Any:
    """A record that only a newer version understands: a new command, or a new field of a known one."""
    if what == "field":
        return record(uuid4(), b'{"partner_id": "acme", "payload": {"n": 1}, "newer": 1}', policy=policy)
    found = record(uuid4(), policy=policy)
    found.headers[0] = ("ce_type", b"data_ingestion.newer-command")
    return found


@pytest.mark.parametrize("policy", [None, b"data_ingestion.validate"])
@pytest.mark.parametrize("what", ["name", "field"])
async def test_what_only_a_newer_version_knows_waits_for_it_and_is_named(what: str, policy: bytes | None) -> None:
    outside, found = Outside(), newer(what, policy=policy)
    name = {"name": "data_ingestion.newer-command", "field": "data_ingestion.receive-data"}[what]
    worker = process(outside, known=Known(name))
    handling = asyncio.create_task(worker._handle_batch([found]))
    await asyncio.wait([handling], timeout=0.05)

    assert name in str(worker.why_not_ready())
    assert (outside.parked, outside.answered, handling.done()) == ([], [], False)

    handling.cancel()
    await asyncio.wait([handling])
    assert handling.cancelled(), "its offset is not committed"
    assert worker.why_not_ready() is None


@pytest.mark.parametrize("what", ["name", "field"])
async def test_what_waits_is_decided_once_the_older_version_has_migrated_again(what: str) -> None:
    outside, known = Outside(), Known("data_ingestion.newer-command", "data_ingestion.receive-data")
    worker = process(outside, known=known)
    handling = asyncio.create_task(worker._handle_batch([newer(what)]))
    await asyncio.wait([handling], timeout=0.05)
    assert not handling.done()

    known.names.clear()
    await asyncio.wait_for(handling, 5)

    assert (len(outside.parked), len(outside.answered)) == (1, 1)


async def test_an_input_of_a_saga_that_another_version_defines_otherwise_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    input = SagaInput(kind="timer", id=uuid4(), name="car", at=MIDNIGHT)
    command = AdvanceSaga(saga="travel.trip", key="1", input=input)
    found = record(uuid4(), command.model_dump_json().encode())
    found.headers[0] = ("ce_type", b"engine.advance-saga")
    outside, known = Outside(), Known("saga travel.trip")
    handling = asyncio.create_task(process(outside, known=known)._handle_batch([found]))
    await asyncio.wait([handling], timeout=0.05)
    assert (outside.handled, handling.done()) == ([], False)

    known.names = {"saga travel.another"}
    await asyncio.wait_for(handling, 5)

    assert len(outside.handled) == 1


async def test_an_invalid_command_of_a_policy_waits_while_another_version_knows_other_commands() -> None:
    outside, another = Outside(), Known("data_ingestion.quite-another")

    await handle(outside, record(uuid4(), b"{}"), record(uuid4(), b"nonsense"), known=another)
    assert len(outside.answered) == 2, "what strangers send, and no version knows, is answered"

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await handle(outside, record(uuid4(), b"{}", policy=b"data_ingestion.validate"), known=another)
    assert len(outside.answered) == 2


async def test_valid_commands_are_handled_while_another_version_knows_other_commands() -> None:
    outside, id = Outside(), uuid4()

    await handle(outside, record(id, policy=b"data_ingestion.validate"), known=Known("data_ingestion.receive-data"))

    assert outside.handled == [id]


class Death(BaseException):
    """A process dies."""


class Mortal:
    """A handler that keeps receipts. Processes die of some commands, or are killed while any is in flight."""

    def __init__(self, outside: Outside, *deadly: UUID, kills: int = 0) -> None:
        self.outside, self.deadly, self.kills, self.deaths = outside, set(deadly), kills, 0
        outside.handle = self.handle  # type: ignore[method-assign]

    async def handle(self, command: CommandEnvelope[Any], *, is_known: bool) -> None:
        if command.id in self.deadly:
            raise Death
        if self.kills:
            self.kills -= 1
            raise Death
        if command.id not in self.outside.receipts:
            self.outside.handled.append(command.id)
            self.outside.receipts.add(command.id)

    async def outlive(self, table: Table, *batch: Any) -> None:
        """Starts processes until one outlives a batch."""
        while True:
            try:
                return await handle(self.outside, *batch, table=table)
            except Death:
                self.deaths += 1


def eight() -> tuple[list[UUID], list[Any]]:
    ids = [uuid4() for _ in range(8)]
    return ids, [record(id, offset=10 + n) for n, id in enumerate(ids)]


@pytest.mark.parametrize("index", [0, 5, 7])
async def test_a_command_of_which_processes_die_is_parked_after_two_deaths_alone_and_the_others_are_handled(index: int) -> None:
    outside, table = Outside(), Table()
    ids, batch = eight()
    mortal = Mortal(outside, ids[index])

    await mortal.outlive(table, *batch)

    assert mortal.deaths == 3, "one of the batch, and two alone"
    assert outside.parked == ["ProcessDied: the process ended twice while handling it alone"]
    assert outside.answered == [], "it can be sent again to a version that survives it"
    assert sorted(outside.handled) == sorted({*ids} - {ids[index]})


@pytest.mark.parametrize("kills", [1, 2])
async def test_commands_that_are_in_flight_when_a_process_is_killed_are_not_parked(kills: int) -> None:
    outside, table = Outside(), Table()
    ids, batch = eight()

    await Mortal(outside, kills=kills).outlive(table, *batch)

    assert outside.parked == []
    assert sorted(outside.handled) == sorted(ids)


async def test_a_kill_between_two_commands_that_are_handled_alone_counts_for_none() -> None:
    outside, table, ids = Outside(), Table(), [uuid4(), uuid4()]
    batch = [record(id, offset=10 + n) for n, id in enumerate(ids)]
    table.attempt = Attempt(10, 11, 1)
    note, noted = table.note, list[Attempt]()

    async def noting(attempts: Mapping[tuple[ContextName, int], Attempt]) -> None:
        noted.extend(attempts.values())
        await note(attempts)

    table.note = noting  # type: ignore[method-assign]
    await handle(outside, *batch, table=table)

    assert noted == [Attempt(10, 11, 2), Attempt(11, 11, 0), Attempt(11, 11, 1), Attempt(12, 11, 0)]
    assert outside.handled == ids


async def test_a_process_that_is_stopped_in_order_is_no_death() -> None:
    outside, table = Outside(), Table()

    async def stopped(command: CommandEnvelope[Any], *, is_known: bool) -> None:
        raise asyncio.CancelledError

    outside.handle = stopped  # type: ignore[method-assign]
    for _ in range(5):
        with pytest.raises(asyncio.CancelledError):
            await handle(outside, record(uuid4()), table=table)

    assert table.attempt is None
    assert outside.parked == []


async def test_an_outage_while_a_command_is_handled_alone_is_no_death() -> None:
    outside, table, id = Outside(), Table(), uuid4()
    table.attempt = Attempt(7, 7, 1)
    outside.errors = [Unavailable()] * 5

    await handle(outside, record(id), table=table)

    assert (outside.handled, outside.parked) == ([id], [])


@pytest.mark.parametrize("body", [BODY, b"{}"])
async def test_no_cancellation_is_lost_wherever_it_arrives(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        outside = Outside()
        outside.errors, outside.outages_of_answers = [Unavailable()] * 10**4, 10**9
        await process(outside)._handle_batch([record(uuid4(), body)])

    assert await is_never_lost(run, monkeypatch)
