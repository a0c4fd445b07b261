"""Compliance: checks partners and contracts against rules, and records the verdict of each rule."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.message import COMMAND_ID, Command, Event
from schemas.partner_alliances.parts import BankAccount, Name, Profile, RuleVerdict, WithAccount
from schemas.partner_alliances.roles import COMPLIANCE

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


class RecordAssessment(Command, internal=True):
    """The same command with the verdict on the bank account, which only the subject's key can decrypt."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile
    account: RuleVerdict


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
    verdicts: list[RuleVerdict]
    sanction_list: int = Field(description="Revision of the sanction list that was used; 0 is none.")


class ContractApproved(_Assessed):
    """The rules allow a contract; the partner is in the financial system."""


class ContractRejected(_Assessed):
    """The rules do not allow a contract."""

    cause: str


COMMANDS = (PublishSanctionList, ValidatePartner, RecordValidation, AssessContract, RecordAssessment)
EVENTS = (SanctionListPublished, PartnerValidated, ContractApproved, ContractRejected)
