"""Contract term: a contract expires after its last day, however often that day is moved."""

from datetime import UTC, date, datetime, timedelta

from aggregates.partner_alliances.contract_term import CONTRACT_TERM
from aggregates.sagas.scenario import SagaScenario
from schemas.partner_alliances.contracts import (
    ContractChanged,
    ContractCreated,
    ContractDeactivated,
    ContractExpired,
    ContractRevisionDecided,
    ExpireContract,
)
from tests.unit.aggregates.partner_alliances.agreed import CONTRACT, TERMS, TODAY, WHOSE

A_DAY = timedelta(days=1)
EXPIRE = ExpireContract(contract_id=CONTRACT)


def created(ends_on: date | None) -> SagaScenario:
    event = ContractCreated(**WHOSE, product="AFFILIATION", terms=TERMS, starts_on=TODAY, ends_on=ends_on)
    return SagaScenario(CONTRACT_TERM).happens(event)


def changed(ends_on: date | None) -> ContractChanged:
    return ContractChanged(**WHOSE, terms=TERMS, ends_on=ends_on)


def test_a_contract_expires_at_the_end_of_its_last_day_and_not_before() -> None:
    term = created(TODAY + A_DAY).waits(2 * A_DAY - timedelta(seconds=1)).sends()
    term.waits(timedelta(seconds=1)).sends(EXPIRE).accepts()
    term.happens(ContractExpired(**WHOSE)).becomes("completed")


def test_a_contract_without_a_last_day_does_not_expire() -> None:
    term = created(None).waits(1000 * A_DAY).sends().becomes("running")
    assert term.saga.timers == {}


def test_a_last_day_that_is_moved_moves_the_expiry() -> None:
    term = created(TODAY).happens(changed(TODAY + 3 * A_DAY))
    term.waits(3 * A_DAY).sends()
    term.waits(A_DAY).sends(EXPIRE)


def test_an_expiry_that_comes_too_early_is_tried_again_when_the_contract_is_over() -> None:
    term = created(TODAY).waits(A_DAY).sends(EXPIRE)
    term.rejects("it has days to come").becomes("running").waits(timedelta(seconds=59)).sends()
    term.waits(timedelta(seconds=1)).sends(EXPIRE)


def test_a_contract_that_was_deactivated_or_rejected_does_not_expire() -> None:
    decided = ContractRevisionDecided(**WHOSE, approved=False, reason="no", decided_by="ana")
    for event, why in ((ContractDeactivated(**WHOSE, reason="why"), "why"), (decided, "the contract was rejected")):
        term = created(TODAY).happens(event).becomes("completed", because=why)
        term.waits(2 * A_DAY).sends()


def test_a_contract_that_was_approved_goes_on_to_its_last_day() -> None:
    decided = ContractRevisionDecided(**WHOSE, approved=True, reason="", decided_by="ana")
    created(TODAY).happens(decided).becomes("running").waits(A_DAY).sends(EXPIRE)


def test_the_last_day_of_the_calendar_is_never_over() -> None:
    term = created(date.max).sends().becomes("running")
    assert (term.saga.timers, term.saga.deferred) == ({}, {})

    term.happens(changed(TODAY)).waits(A_DAY).sends(EXPIRE)


def test_a_last_day_that_is_moved_to_the_end_of_the_calendar_takes_the_expiry_away() -> None:
    term = created(TODAY).happens(changed(date.max))
    assert term.saga.timers == {}

    assert created(date.max - A_DAY).saga.timers == {"last-day": datetime(9999, 12, 31, tzinfo=UTC)}


def test_an_expiry_that_was_sent_before_the_last_day_was_moved_to_the_end_is_not_tried_again() -> None:
    term = created(TODAY).waits(A_DAY).sends(EXPIRE).happens(changed(date.max))
    term.rejects("it has days to come").becomes("running")
    assert term.saga.timers == {}
