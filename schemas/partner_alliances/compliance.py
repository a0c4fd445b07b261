"""Compliance: whether the rules allow to work with somebody, rule by rule."""

from uuid import UUID

from pydantic import Field

from schemas.message import Command, Event
from schemas.partner_alliances.parts import Name, Profile, RuleVerdict
from schemas.partner_alliances.roles import COMPLIANCE


class PublishSanctionList(Command, name="publish-sanction-list", access=COMPLIANCE):
    """Sets the list of those with whom nobody may work from now on."""

    names: list[Name] = Field(min_length=1, max_length=50_000)


class ValidatePartner(Command, name="validate-partner"):
    """Holds somebody against the rules, whatever comes of it."""

    profile: Profile


class AssessContract(Command, name="assess-contract", internal=True):
    """Decides whether the rules allow a contract with a partner."""

    contract_id: UUID
    partner_id: UUID
    temporary_id: UUID | None = None
    profile: Profile


class SanctionListPublished(Event, name="SanctionListPublished"):
    """Nobody may work with these from now on."""

    names: list[str]


class PartnerValidated(Event, name="PartnerValidated"):
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


class ContractApproved(_Assessed, name="ContractApproved"):
    """The rules allow a contract; the partner is in the financial system."""


class ContractRejected(_Assessed, name="ContractRejected"):
    """The rules do not allow a contract."""

    cause: str


COMMANDS = (PublishSanctionList, ValidatePartner, AssessContract)
EVENTS = (SanctionListPublished, PartnerValidated, ContractApproved, ContractRejected)
