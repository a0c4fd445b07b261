"""Contract term: a saga that ends a contract when its last day is over, however often that day is moved."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from schemas.engine.sagas import CommandOutcome, SagaInput
from schemas.partner_alliances.contracts import (
    ContractChanged,
    ContractCreated,
    ContractDeactivated,
    ContractExpired,
    ContractRevisionDecided,
    ExpireContract,
)
from schemas.values.times import later

_LAST_DAY = "last-day"
_A_MINUTE = timedelta(minutes=1)


class Term(State):
    """The duration of a contract."""

    contract_id: UUID | None = None
    ends_on: date | None = None


def created(_: Term, event: ContractCreated, input: SagaInput) -> Transition[Term]:
    term = Term(contract_id=event.contract_id, ends_on=event.ends_on)
    return Transition(term, set_timers=_timers(term))


def changed(term: Term, event: ContractChanged, input: SagaInput) -> Transition[Term]:
    term = term.replace(ends_on=event.ends_on)
    timers = _timers(term)
    return Transition(term, set_timers=timers, cancel_timers=() if timers else (_LAST_DAY,))


def decided(term: Term, event: ContractRevisionDecided, input: SagaInput) -> Transition[Term]:
    return Transition(term) if event.approved else Transition(term, status="completed", reason="the contract was rejected")


def over(term: Term, input: SagaInput) -> Transition[Term]:
    return Transition(term, send=[Send(ExpireContract(contract_id=term.contract_id))])


def has_days_left(term: Term, outcome: CommandOutcome, input: SagaInput) -> Transition[Term]:
    """Sets the timer again: the last day was moved, or the deciding process's clock is behind that of the timers."""
    ends_at = _end(term.ends_on or input.at.date())
    return Transition(term, set_timers={} if ends_at is None else {_LAST_DAY: max(ends_at, later(input.at, _A_MINUTE))})


def deactivated(term: Term, event: ContractDeactivated, input: SagaInput) -> Transition[Term]:
    return Transition(term, status="completed", reason=event.reason)


def expired(term: Term, event: ContractExpired, input: SagaInput) -> Transition[Term]:
    return Transition(term, status="completed")


def _timers(term: Term) -> Mapping[str, datetime]:
    ends_at = None if term.ends_on is None else _end(term.ends_on)
    return {} if ends_at is None else {_LAST_DAY: ends_at}


def _end(last_day: date) -> datetime | None:
    """Returns midnight in UTC after a day, in any time zone of the process; ``None`` for the last day of the calendar."""
    return None if last_day == date.max else datetime.combine(last_day + timedelta(days=1), time(), UTC)


CONTRACT_TERM = SagaDefinition(
    "contract-term",
    Term,
    {
        ContractCreated: Reaction("contract_id", created, starts=True),
        ContractChanged: Reaction("contract_id", changed),
        ContractRevisionDecided: Reaction("contract_id", decided),
        ContractDeactivated: Reaction("contract_id", deactivated),
        ContractExpired: Reaction("contract_id", expired),
    },
    on_rejected={ExpireContract: has_days_left},
    on_timer={_LAST_DAY: over},
    references=("contract_id",),
    may_wait_indefinitely=True,
)
