"""Compliance: checks partners and contracts against rules, and records the verdict of each rule."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.message import COMMAND_ID, Command, Event
from schemas.partner_alliances.parts import Amount, BankAccount, Name, Product, Profile, RuleVerdict, WithAccount
from schemas.partner_alliances.roles import CLIENTS_COMPLIANCE, COMPLIANCE

SanctionedNames = Annotated[list[Name], Field(min_length=1, max_length=50_000)]


class PublishSanctionList(Command, access=COMPLIANCE):
    """Publishes the names of the parties with whom contracts are forbidden from now on."""

    names: SanctionedNames


class ValidatePartner(WithAccount, subject=COMMAND_ID):
    """Checks a profile against the rules; the verdicts have no consequence."""

    profile: Profile


class RecordValidation(Command, internal=True):
    """The same command with the verdict on the bank account, which only the subject's key can decrypt."""

    profile: Profile
    account: RuleVerdict


class AssessContract(Command, internal=True):
    """Decides whether the rules allow a contract with a partner."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile
    account: BankAccount | None = None
    product: Product = "AFFILIATION"
    amount: Amount | None = None


class RecordAssessment(Command, internal=True):
    """The same command with the verdict on the bank account, which only the subject's key can decrypt."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile
    account: RuleVerdict
    product: Product = "AFFILIATION"
    amount: Amount | None = None


AccountState = Literal["active", "inactive", "suspended"]


class RegisterFinancialAccount(Command, access=CLIENTS_COMPLIANCE):
    """Registers a partner in the financial system, or changes the state of its account there."""

    partner_id: UUID
    state: AccountState = "active"
    enabled_at: datetime | None = Field(default=None, description="Unset: the time of the command, for a new account or state.")


class EnableFinancialAccount(Command, internal=True):
    """Registers the partner of an approved contract as active."""

    partner_id: UUID


class SanctionListPublished(Event):
    """A sanction list was published; contracts with its names are forbidden from now on."""

    names: list[str]


class PartnerValidated(Event):
    """A profile was checked against the rules."""

    validation_id: UUID
    name: str
    approved: bool
    verdicts: list[RuleVerdict]
    sanction_list: int = Field(description="Revision of the sanction list that was used; 0 is none.")


class _Assessed(Event):
    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None
    product: Product | None = Field(default=None, description="The contract's product.")
    amount: Amount | None = Field(default=None, description="The contract's amount, if its terms have one.")
    verdicts: list[RuleVerdict]
    sanction_list: int = Field(description="Revision of the sanction list that was used; 0 is none.")


class ContractApproved(_Assessed):
    """The rules allow a contract."""


class ContractRejected(_Assessed):
    """The rules do not allow a contract."""

    cause: str


class FinancialAccountRegistered(Event):
    """A partner is registered in the financial system in a state."""

    partner_id: UUID
    state: AccountState
    enabled_at: datetime


COMMANDS = (
    PublishSanctionList,
    ValidatePartner,
    RecordValidation,
    AssessContract,
    RecordAssessment,
    RegisterFinancialAccount,
    EnableFinancialAccount,
)
EVENTS = (SanctionListPublished, PartnerValidated, ContractApproved, ContractRejected, FinancialAccountRegistered)
