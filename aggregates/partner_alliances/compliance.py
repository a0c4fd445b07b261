"""Compliance: the sanction list in force, the verdicts of the rules, and the partners in the financial system."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aggregates.decision import Decision, Decisions, Events
from aggregates.partner_alliances.products import Products
from aggregates.partner_alliances.rules import amount_verdicts, prepared, verdicts
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command
from schemas.partner_alliances.compliance import (
    AccountState,
    ContractApproved,
    ContractRejected,
    EnableFinancialAccount,
    FinancialAccountRegistered,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
    RegisterFinancialAccount,
    SanctionListPublished,
)
from schemas.partner_alliances.contracts import ContractRevisionDecided


class SanctionList(State):
    """The names with whom contracts are forbidden: the newest list is in force."""

    revision: int = 0
    names: list[str] | None = None


def evolve(sanctions: SanctionList, event: SanctionListPublished) -> SanctionList:
    return SanctionList(revision=sanctions.revision + 1, names=[prepared(name) for name in event.names])


class FinancialAccount(State):
    """A partner's account in the financial system."""

    state: AccountState | None = None
    enabled_at: datetime | None = None


def evolve_account(_: FinancialAccount, event: FinancialAccountRegistered) -> FinancialAccount:
    return FinancialAccount(state=event.state, enabled_at=event.enabled_at)


FINANCIAL_ACCOUNT = Stream("financialaccount", FinancialAccount, evolve_account, noun="financial account")
SANCTION_LIST = Stream("sanctionlist", SanctionList, evolve, only="current")
VALIDATION = Stream("validation")
ASSESSMENT = Stream("assessment", noun="assessment of the contract")


def publish_sanction_list(command: CommandEnvelope[PublishSanctionList], sanctions: SanctionList) -> Events:
    """Puts a list in force."""
    yield SanctionListPublished(names=command.data.names)


def record_validation(command: CommandEnvelope[RecordValidation], sanctions: SanctionList) -> Events:
    """Records the verdicts of the rules on a profile."""
    profile = command.data.profile
    found = verdicts(profile, command.data.account, sanctions.names)
    yield PartnerValidated(
        validation_id=command.id,
        name=profile.name,
        approved=all(verdict.passed for verdict in found),
        verdicts=found,
        sanction_list=sanctions.revision,
    )


@dataclass(frozen=True, slots=True)
class Assessing:
    """The decision that depends on the products that are installed."""

    products: Products

    def record(self, command: CommandEnvelope[RecordAssessment], sanctions: SanctionList) -> Events:
        """Approves or rejects a contract, with the verdict of each rule."""
        data = command.data
        found = verdicts(data.profile, data.account, sanctions.names)
        if data.amount is not None:
            found += amount_verdicts(data.amount, self.products.limits(data.product))
        fields: dict[str, Any] = {
            "contract_id": data.contract_id,
            "partner_id": data.partner_id,
            "temporary_id": data.temporary_id,
            "product": data.product,
            "amount": data.amount,
            "verdicts": found,
            "sanction_list": sanctions.revision,
        }
        if violated := [f"{verdict.rule}: {verdict.detail}" for verdict in found if not verdict.passed]:
            yield ContractRejected(**fields, cause="; ".join(violated))
        else:
            yield ContractApproved(**fields)


def register_account(command: CommandEnvelope[RegisterFinancialAccount], account: FinancialAccount) -> Events:
    """Registers a partner, or a change of its account; there is nothing to record if the account is as it is to be."""
    data = command.data
    if data.state != account.state or data.enabled_at not in (None, account.enabled_at):
        yield FinancialAccountRegistered(partner_id=data.partner_id, state=data.state, enabled_at=data.enabled_at or command.at)


def enable_account(command: CommandEnvelope[EnableFinancialAccount], account: FinancialAccount) -> Events:
    """Registers a partner as active, unless it is."""
    if account.state != "active":
        yield FinancialAccountRegistered(partner_id=command.data.partner_id, state="active", enabled_at=command.at)


def enable_approved(approved: RecordedEvent[ContractApproved]) -> Iterable[Command]:
    """Registers the partner of an approved contract."""
    yield EnableFinancialAccount(partner_id=approved.data.partner_id)


def enable_decided(decided: RecordedEvent[ContractRevisionDecided]) -> Iterable[Command]:
    """Registers the partner of a contract that an officer approves."""
    if decided.data.approved:
        yield EnableFinancialAccount(partner_id=decided.data.partner_id)


def decisions(products: Products) -> Decisions:
    """Returns the decisions of compliance on contracts of these products."""
    return (
        Decision(PublishSanctionList, SANCTION_LIST.create_or_change(), publish_sanction_list),
        Decision(RecordValidation, VALIDATION.create(), record_validation, reads=(SANCTION_LIST.at(),)),
        Decision(RecordAssessment, ASSESSMENT.create("contract_id"), Assessing(products).record, reads=(SANCTION_LIST.at(),)),
        Decision(RegisterFinancialAccount, FINANCIAL_ACCOUNT.create_or_change("partner_id"), register_account),
        Decision(EnableFinancialAccount, FINANCIAL_ACCOUNT.create_or_change("partner_id"), enable_account),
    )


POLICIES = (Policy("register-approved-partners", {ContractApproved: enable_approved, ContractRevisionDecided: enable_decided}),)
