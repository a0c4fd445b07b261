"""The handler, on the log in memory."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from aggregates.decision import Decision, Events
from aggregates.scenario import MIDNIGHT
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain
from command_api.handling.appending import ResultTooLarge
from command_api.handling.handler import CommandHandler
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import (
    Conflict,
    Failed,
    IdempotencyKeyReused,
    InProgress,
    Misconfigured,
    PreconditionFailed,
    Rejected,
    Unavailable,
)
from schemas.expected_version import NO_STREAM, ExpectedVersion
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System
from streams.log.memory import MemoryLog
from streams.log.reading import Append
from streams.log.stored_events import ENVELOPE_BYTES

BANK = ContextName("bank", "accounts")


class Deposit(Command):
    account: str
    amount: int


class Transfer(Command):
    source: str
    target: str
    amount: int


class Deposited(Event):
    amount: int


class Account(State):
    balance: int = 0


def evolve(account: Account, event: Deposited) -> Account:
    return Account(balance=account.balance + event.amount)


ACCOUNT = Stream("account", Account, evolve)
TARGET = ACCOUNT.change("target")


class Overdrawn(Rejected):
    """There is not that much on the account."""

    kind = "overdrawn"


def deposit(command: CommandEnvelope[Deposit], account: Account) -> Events:
    if command.data.amount == 13:
        raise ZeroDivisionError("unlucky")
    if command.data.amount == 666:
        yield Deposited(amount=1000)
        raise ZeroDivisionError("unlucky, and late")
    if account.balance + command.data.amount < 0:
        raise Overdrawn("there is not that much on the account")
    yield Deposited(amount=command.data.amount)


def transfer(command: CommandEnvelope[Transfer], source: Account, target: Account) -> Events:
    yield Deposited(amount=-command.data.amount)
    yield TARGET.records(Deposited(amount=command.data.amount))


DECISIONS = (
    Decision(Deposit, ACCOUNT.create_or_change("account", usually_new=True), deposit),
    Decision(Transfer, ACCOUNT.change("source"), transfer, writes=(TARGET,)),
)
SYSTEM = System("bank", (Context("accounts", commands=(Deposit, Transfer), events=(Deposited,)),))


class SlowLog(MemoryLog):
    """Appends only when it is let, and counts its batches and reads."""

    def __init__(self) -> None:
        super().__init__(BANK)
        self.open = asyncio.Event()
        self.open.set()
        self.batches: list[int] = []
        self.reads = 0
        self.broken = False

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        await self.open.wait()
        if self.broken:
            raise Unavailable("the database is gone")
        self.batches.append(len(appends))
        return await super().append(appends)

    async def read_stream(self, stream: str, after: int = 0, limit: int = 1000) -> Sequence[Any]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read_stream(stream, after, limit)


def handler_on(log: MemoryLog, **options: Any) -> CommandHandler:
    return CommandHandler(Catalog.of([SYSTEM]), {"bank": Domain(DECISIONS)}, {BANK: log}, **options)


def envelope(command: Command, id: UUID | None = None) -> CommandEnvelope[Command]:
    return CommandEnvelope(data=command, id=id or uuid4(), at=MIDNIGHT, correlation_id="test")


async def balance(log: MemoryLog, account: str) -> int:
    rows = await log.read_stream(f"account-{account}")
    return sum(Deposited.model_validate_json(row.data).amount for row in rows)


async def test_a_command_is_answered_with_its_receipt() -> None:
    log = SlowLog()
    handler = handler_on(log)

    receipt = await handler.handle(envelope(Deposit(account="a", amount=5)))

    assert (receipt.stream, receipt.version, receipt.position, receipt.events) == ("account-a", 1, 1, ("Deposited",))


async def test_an_aggregate_in_use_is_not_read_again() -> None:
    log = SlowLog()
    handler = handler_on(log)

    for _ in range(5):
        await handler.handle(envelope(Deposit(account="a", amount=5)))

    assert (await balance(log, "a"), log.reads - 1) == (25, 0)


async def test_a_repeated_command_gets_its_first_answer_and_changes_nothing() -> None:
    log = SlowLog()
    handler, command = handler_on(log), envelope(Deposit(account="a", amount=5))
    first = await handler.handle(command)
    await handler.handle(envelope(Deposit(account="a", amount=1)))

    again = await handler.handle(command)

    assert again == first
    assert again.repeated
    assert await balance(log, "a") == 6
    assert (await handler.handle(envelope(Deposit(account="a", amount=1)))).version == 3


async def test_an_id_cannot_be_used_for_another_command() -> None:
    handler, id = handler_on(SlowLog()), uuid4()
    await handler.handle(envelope(Deposit(account="a", amount=5), id))

    with pytest.raises(IdempotencyKeyReused):
        await handler.handle(envelope(Deposit(account="a", amount=6), id))


async def test_a_rejection_is_recorded_and_repeated() -> None:
    log = SlowLog()
    handler, command = handler_on(log), envelope(Deposit(account="a", amount=-1))
    with pytest.raises(Rejected, match="not that much") as first:
        await handler.handle(command)
    await handler.handle(envelope(Deposit(account="a", amount=10)))

    with pytest.raises(Rejected, match="not that much") as repeated:
        await handler.handle(command)

    assert first.value.kind == repeated.value.kind == "overdrawn"
    assert await balance(log, "a") == 10


async def test_a_command_in_progress_is_not_started_again() -> None:
    log = SlowLog()
    handler, command = handler_on(log), envelope(Deposit(account="a", amount=5))
    log.open.clear()
    first = asyncio.create_task(handler.handle(command))
    await asyncio.sleep(0)

    with pytest.raises(InProgress):
        await handler.handle(command)

    log.open.set()
    assert (await first).version == 1


async def test_commands_in_flight_are_appended_together_and_each_sees_the_ones_before() -> None:
    log = SlowLog()
    handler = handler_on(log)

    receipts = await asyncio.gather(*(handler.handle(envelope(Deposit(account="a", amount=1))) for _ in range(100)))

    assert sorted(receipt.version for receipt in receipts) == list(range(1, 101))
    assert len(log.batches) <= 3


async def test_a_decision_that_was_based_on_a_failed_append_is_decided_again() -> None:
    log = SlowLog()
    handler = handler_on(log)
    await handler.handle(envelope(Deposit(account="a", amount=5)))
    other = handler_on(log)  # another process
    await other.handle(envelope(Deposit(account="a", amount=-5)))

    outcomes = await asyncio.gather(
        *(handler.handle(envelope(Deposit(account="a", amount=-3))) for _ in range(4)), return_exceptions=True
    )

    assert all(isinstance(outcome, Rejected) for outcome in outcomes)
    assert await balance(log, "a") == 0


async def test_two_processes_never_lose_a_deposit() -> None:
    log = SlowLog()
    handlers = [handler_on(log, conflict_retries=50) for _ in range(4)]

    await asyncio.gather(*(h.handle(envelope(Deposit(account="a", amount=1))) for h in handlers for _ in range(25)))

    assert await balance(log, "a") == 100


async def test_a_stream_that_does_not_fit_into_the_cache_is_decided_on_all_the_same() -> None:
    log = SlowLog()
    handler = handler_on(log, cache_bytes=1)
    log.open.clear()
    deposits = [envelope(Deposit(account=f"a{n % 20}", amount=1)) for n in range(100)]
    waiting = asyncio.gather(*(handler.handle(one) for one in deposits[:20]))
    await asyncio.sleep(0)
    log.open.set()

    receipts = [*await waiting, *[await handler.handle(one) for one in deposits[20:]]]

    assert sorted(receipt.version for receipt in receipts) == sorted([1, 2, 3, 4, 5] * 20)
    assert (await handler.handle(envelope(Transfer(source="a1", target="a2", amount=1)))).version == 6


async def test_a_race_that_is_never_won_is_given_up() -> None:
    class Contested(SlowLog):
        async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
            return [Conflict("somebody was faster") for _ in appends]

    with pytest.raises(Conflict):
        await handler_on(Contested(), conflict_retries=3).handle(envelope(Deposit(account="a", amount=5)))


async def test_a_command_about_two_streams_is_all_or_none() -> None:
    log = SlowLog()
    handler = handler_on(log)
    await handler.handle(envelope(Deposit(account="a", amount=5)))
    await handler_on(log).handle(envelope(Deposit(account="b", amount=1)))

    receipt = await handler.handle(envelope(Transfer(source="a", target="b", amount=2)))

    assert (await balance(log, "a"), await balance(log, "b")) == (3, 3)
    assert (receipt.stream, receipt.position, receipt.events) == ("account-a", 3, ("Deposited", "Deposited"))


async def test_an_expected_version_is_checked_against_the_log_not_against_the_cache() -> None:
    log = SlowLog()
    handler = handler_on(log)
    await handler.handle(envelope(Deposit(account="a", amount=5)))
    await handler_on(log).handle(envelope(Deposit(account="a", amount=5)))

    assert (await handler.handle(envelope(Deposit(account="a", amount=1)), expected=ExpectedVersion.exact(2))).version == 3
    with pytest.raises(PreconditionFailed, match="at version 3, expected was version 2"):
        await handler.handle(envelope(Deposit(account="a", amount=1)), expected=ExpectedVersion.exact(2))


async def test_a_repeat_with_an_expected_version_gets_its_first_answer() -> None:
    handler, command = handler_on(SlowLog()), envelope(Deposit(account="a", amount=5))
    first = await handler.handle(command, expected=NO_STREAM)

    assert await handler.handle(command, expected=NO_STREAM) == first


async def test_while_the_log_is_gone_nothing_is_believed_that_was_not_appended() -> None:
    log = SlowLog()
    handler = handler_on(log)
    await handler.handle(envelope(Deposit(account="a", amount=5)))
    log.broken = True
    with pytest.raises(Unavailable):
        await handler.handle(envelope(Deposit(account="a", amount=100)))
    log.broken = False

    with pytest.raises(Rejected):
        await handler.handle(envelope(Deposit(account="a", amount=-50)))


async def test_a_decision_that_breaks_down_leaves_no_trace() -> None:
    log = SlowLog()
    handler = handler_on(log)

    with pytest.raises(ZeroDivisionError):
        await handler.handle(envelope(Deposit(account="a", amount=13)))

    assert await balance(log, "a") == 0
    assert (await handler.handle(envelope(Deposit(account="a", amount=1)))).version == 1


async def test_a_decision_that_breaks_down_is_no_answer() -> None:
    log = SlowLog()
    handler, command = handler_on(log), envelope(Deposit(account="a", amount=13))

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await handler.handle(command)

    assert await log.answers([command.id]) == {}
    assert await handler.known(BANK, [command.id]) == set()


async def test_repeats_about_one_stream_that_are_known_are_answered_before_they_are_decided() -> None:
    log = SlowLog()
    handler = handler_on(log)
    commands = [envelope(Deposit(account="a", amount=1)) for _ in range(50)]
    first = await asyncio.gather(*map(handler.handle, commands))
    known = await handler.known(BANK, [command.id for command in commands])
    batches = len(log.batches)

    again = await asyncio.gather(*(handler.handle(command, is_known=command.id in known) for command in commands))

    assert [receipt.version for receipt in again] == [receipt.version for receipt in first]
    assert all(receipt.repeated for receipt in again)
    assert len(log.batches) == batches, "nothing was appended"


async def test_a_known_id_of_another_command_is_no_repeat() -> None:
    handler = handler_on(SlowLog())
    command = envelope(Deposit(account="a", amount=1))
    await handler.handle(command)

    with pytest.raises(IdempotencyKeyReused):
        await handler.handle(replace(command, data=Deposit(account="a", amount=2)), is_known=True)


async def test_a_command_that_could_not_be_read_is_recognised_when_it_can_be() -> None:
    log = SlowLog()
    handler, command = handler_on(log), envelope(Deposit(account="a", amount=1))
    await handler.record_failure(BANK, command.id, "c", "it is nonsense")

    with pytest.raises(Failed, match="it is nonsense"):
        await handler.handle(command)


async def test_no_command_is_decided_on_the_state_of_a_decision_that_failed() -> None:
    log = SlowLog()
    handler, elsewhere = handler_on(log), handler_on(log)
    await handler.handle(envelope(Deposit(account="a", amount=5)))
    log.open.clear()
    breaking = asyncio.create_task(handler.handle(envelope(Deposit(account="a", amount=666))))
    withdrawal = asyncio.create_task(handler.handle(envelope(Deposit(account="a", amount=-500))))
    other = asyncio.create_task(elsewhere.handle(envelope(Deposit(account="a", amount=1))))
    await asyncio.sleep(0.01)
    log.open.set()

    assert isinstance((await asyncio.gather(breaking, return_exceptions=True))[0], ZeroDivisionError)
    assert (await other).version == 2
    with pytest.raises(Rejected, match="not that much"):
        await withdrawal
    assert await balance(log, "a") == 6


def test_a_command_without_a_decision_is_noticed_at_the_start() -> None:
    with pytest.raises(Misconfigured, match=r"no decision is declared for the command 'deposit' of bank\.accounts"):
        CommandHandler(Catalog.of([SYSTEM]), {}, {BANK: MemoryLog(BANK)})


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_a_conflict_is_decided_again_as_often_as_the_setting_says(retries: int) -> None:
    class Changing(SlowLog):
        async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
            self.batches.append(len(appends))
            return [Conflict("another command was faster") for _ in appends]

    log = Changing()

    with pytest.raises(Conflict):
        await handler_on(log, conflict_retries=retries).handle(envelope(Deposit(account="a", amount=1)))

    assert len(log.batches) == retries + 1


async def test_a_command_whose_event_could_not_be_published_is_rejected_alone() -> None:
    log = MemoryLog(BANK)
    handler = handler_on(log, max_record_bytes=ENVELOPE_BYTES + len('{"amount":50}'))
    await handler.handle(envelope(Deposit(account="a", amount=50)))
    await handler.handle(envelope(Deposit(account="b", amount=1)))
    large = envelope(Deposit(account="a", amount=500))

    for _ in range(2):
        with pytest.raises(Rejected, match="the event Deposited would have 16398 bytes with its headers, more than the 16397"):
            await handler.handle(large)
    with pytest.raises(Rejected, match="the event Deposited would have"):
        await handler.handle(envelope(Transfer(source="a", target="b", amount=10)))

    receipt = await handler.handle(envelope(Deposit(account="a", amount=-9)))
    assert (receipt.version, receipt.position) == (2, 3), "nothing of the rejected commands was recorded"
    assert (await balance(log, "a"), await balance(log, "b")) == (41, 1)
    with pytest.raises(Rejected, match="not that much"):
        await handler.handle(envelope(Deposit(account="a", amount=-42)))


async def test_a_policys_command_whose_event_could_not_be_published_is_a_fault_and_no_answer() -> None:
    log = MemoryLog(BANK)
    handler = handler_on(log, max_record_bytes=ENVELOPE_BYTES + len('{"amount":50}'))
    large = replace(envelope(Deposit(account="a", amount=500)), policy="bank.interest")

    for _ in range(2):
        with pytest.raises(ResultTooLarge, match="the event Deposited would have 16398 bytes"):
            await handler.handle(large)

    receipt = await handler.handle(replace(large, data=Deposit(account="a", amount=50)))
    assert (receipt.version, receipt.repeated) == (1, False), "nothing was recorded, not even a receipt"
