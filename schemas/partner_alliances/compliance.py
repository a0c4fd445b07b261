"""Compliance: whether the rules allow to work with somebody, rule by rule."""

from uuid import UUID

from pydantic import Field

from schemas.message import COMMAND_ID, Command, Event
from schemas.partner_alliances.parts import BankAccount, Name, Profile, RuleVerdict, WithAccount
from schemas.partner_alliances.roles import COMPLIANCE


class PublishSanctionList(Command, access=COMPLIANCE):
    """Sets the list of those with whom nobody may work from now on."""

    names: list[Name] = Field(min_length=1, max_length=50_000)


class ValidatePartner(WithAccount, subject=COMMAND_ID):
    """Holds somebody against the rules, whatever comes of it."""

    profile: Profile


class RecordValidation(Command, internal=True):
    """The same, with what was found of the account, which only its subject's key opens."""

    profile: Profile
    account: RuleVerdict


class AssessContract(Command, internal=True):
    """Decides whether the rules allow a contract with a partner."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile
    account: BankAccount | None = None


class RecordAssessment(Command, internal=True):
    """The same, with what was found of the account, which only its subject's key opens."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile
    account: RuleVerdict


class SanctionListPublished(Event):
    """Nobody may work with these from now on."""

    names: list[str]


class PartnerValidated(Event):
    """Somebody was held against the rules."""

    validation_id: UUID
    name: str
    approved: bool
    verdicts: list[RuleVerdict]
    sanction_list: int = Field(description="Which of the sanction lists it was held against; 0 is none.")


class _Assessed(Event):
    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None
    verdicts: list[RuleVerdict]
    sanction_list: int = Field(description="Which of the sanction lists it was held against; 0 is none.")


class ContractApproved(_Assessed):
    """The rules allow a contract; the partner is in the financial system."""


class ContractRejected(_Assessed):
    """The rules do not allow a contract."""

    cause: str


COMMANDS = (PublishSanctionList, ValidatePartner, RecordValidation, AssessContract, RecordAssessment)
EVENTS = (SanctionListPublished, PartnerValidated, ContractApproved, ContractRejected)
