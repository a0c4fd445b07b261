"""Compliance: the sanction list in force, and the verdicts of the rules."""

from typing import Any

from aggregates.decision import Decision, Events
from aggregates.partner_alliances.rules import prepared, verdicts
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.compliance import (
    ContractApproved,
    ContractRejected,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
    SanctionListPublished,
)


class SanctionList(State):
    """The names with whom contracts are forbidden: the newest list is in force."""

    revision: int = 0
    names: list[str] | None = None


def evolve(sanctions: SanctionList, event: SanctionListPublished) -> SanctionList:
    return SanctionList(revision=sanctions.revision + 1, names=[prepared(name) for name in event.names])


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


def record_assessment(command: CommandEnvelope[RecordAssessment], sanctions: SanctionList) -> Events:
    """Approves or rejects a contract, with the verdict of each rule."""
    data = command.data
    found = verdicts(data.profile, data.account, sanctions.names)
    fields: dict[str, Any] = {
        "contract_id": data.contract_id,
        "partner_id": data.partner_id,
        "temporary_id": data.temporary_id,
        "verdicts": found,
        "sanction_list": sanctions.revision,
    }
    if violated := [f"{verdict.rule}: {verdict.detail}" for verdict in found if not verdict.passed]:
        yield ContractRejected(**fields, cause="; ".join(violated))
    else:
        yield ContractApproved(**fields)


DECISIONS = (
    Decision(PublishSanctionList, SANCTION_LIST.create_or_change(), publish_sanction_list),
    Decision(RecordValidation, VALIDATION.create(), record_validation, reads=(SANCTION_LIST.at(),)),
    Decision(RecordAssessment, ASSESSMENT.create("contract_id"), record_assessment, reads=(SANCTION_LIST.at(),)),
)
