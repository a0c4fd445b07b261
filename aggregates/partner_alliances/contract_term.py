"""Contract term: has a contract expire once its last day is over, however often that day is moved."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from aggregates.partner_alliances.spanish import SPANISH
from aggregates.sagas.definition import Ids, Next, On, SagaDefinition, Send
from schemas.engine.sagas import Answer, Cause
from schemas.partner_alliances.contracts import (
    ContractChanged,
    ContractCreated,
    ContractDeactivated,
    ContractExpired,
    ContractRevisionDecided,
    ExpireContract,
)

_LAST_DAY = "last-day"
_A_MINUTE = timedelta(minutes=1)


class Term(BaseModel):
    """How long a contract lasts."""

    contract_id: UUID | None = None
    ends_on: date | None = None


def created(_: Term, event: ContractCreated, cause: Cause) -> Next[Term]:
    return _until(Term(contract_id=event.contract_id, ends_on=event.ends_on))


def changed(term: Term, event: ContractChanged, cause: Cause) -> Next[Term]:
    return _until(term.model_copy(update={"ends_on": event.ends_on}))


def decided(term: Term, event: ContractRevisionDecided, cause: Cause) -> Next[Term]:
    return Next(term) if event.approved else Next(term, status="completed", reason="the contract was rejected")


def over(term: Term, cause: Cause) -> Next[Term]:
    return Next(term, send=[Send(ExpireContract(contract_id=term.contract_id))])


def has_days_to_come(term: Term, answer: Answer, cause: Cause) -> Next[Term]:
    """The last day was moved at the last moment, or the clock that decided was behind the one that told of it."""
    return Next(term, set_timers={_LAST_DAY: max(_end(term.ends_on or cause.at.date()), cause.at + _A_MINUTE)})


def taken_back(term: Term, event: ContractDeactivated, cause: Cause) -> Next[Term]:
    return Next(term, status="completed", reason=event.reason)


def expired(term: Term, event: ContractExpired, cause: Cause) -> Next[Term]:
    return Next(term, status="completed")


def _until(term: Term) -> Next[Term]:
    if term.ends_on is None:
        return Next(term)
    return Next(term, set_timers={_LAST_DAY: _end(term.ends_on)})


def _end(last_day: date) -> datetime:
    """Midnight in UTC after a day: the same at every place that looks."""
    return datetime.combine(last_day + timedelta(days=1), time(), UTC)


def _contract(event: Any) -> str:
    return str(event.contract_id)


CONTRACT_TERM = SagaDefinition(
    "contract-term",
    Term,
    {
        ContractCreated: On(_contract, created, begins=True),
        ContractChanged: On(_contract, changed),
        ContractRevisionDecided: On(_contract, decided),
        ContractDeactivated: On(_contract, taken_back),
        ContractExpired: On(_contract, expired),
    },
    sends=(ExpireContract,),
    on_rejected={ExpireContract: has_days_to_come},
    on_timer={_LAST_DAY: over},
    ids=lambda term: Ids(real=None if term.contract_id is None else str(term.contract_id)),
    words=SPANISH,
    may_rest=True,
)
