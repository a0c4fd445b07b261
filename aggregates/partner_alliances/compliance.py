"""Compliance: the sanction list in force, and what the rules say of somebody."""

from typing import Any
from uuid import UUID

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.partner_alliances.rules import prepared, verdicts
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists
from schemas.message import Event
from schemas.partner_alliances.compliance import (
    ContractApproved,
    ContractRejected,
    PartnerValidated,
    PublishSanctionList,
    RecordAssessment,
    RecordValidation,
    SanctionListPublished,
)


class SanctionList(Aggregate):
    """Those with whom nobody may work: the newest list counts."""

    category = "sanctionlist"

    def __init__(self) -> None:
        self.revision = 0
        self.names: list[str] | None = None

    def evolve(self, event: Event) -> None:
        if isinstance(event, SanctionListPublished):
            self.revision += 1
            self.names = [prepared(name) for name in event.names]


class Validation(Aggregate):
    """One answer to whether somebody could be worked with."""

    category = "validation"

    def evolve(self, event: Event) -> None:
        """Having been given is all its state."""


class Assessment(Aggregate):
    """The verdict on one contract."""

    category = "assessment"

    def evolve(self, event: Event) -> None:
        """Having been given is all its state: a verdict is given once."""


def publish_sanction_list(issued: CommandEnvelope[PublishSanctionList], sanctions: SanctionList) -> None:
    """Puts a list in force."""
    sanctions.record(SanctionListPublished(names=issued.data.names))


def record_validation(issued: CommandEnvelope[RecordValidation], validation: Validation, sanctions: SanctionList) -> None:
    """Says what the rules say of somebody."""
    profile = issued.data.profile
    found = verdicts(profile, issued.data.account, sanctions.names)
    validation.record(
        PartnerValidated(
            validation_id=UUID(validation.key),
            name=profile.name,
            approved=all(verdict.passed for verdict in found),
            verdicts=found,
            sanction_list=sanctions.revision,
        )
    )


def record_assessment(issued: CommandEnvelope[RecordAssessment], assessment: Assessment, sanctions: SanctionList) -> None:
    """Gives the verdict on a contract, and names each rule."""
    command = issued.data
    if not assessment.is_new:
        raise AlreadyExists(f"the contract {command.contract_id} was assessed before")
    found = verdicts(command.profile, command.account, sanctions.names)
    told: dict[str, Any] = {
        "contract_id": command.contract_id,
        "partner_id": command.partner_id,
        "temporary_id": command.temporary_id,
        "verdicts": found,
        "sanction_list": sanctions.revision,
    }
    if broken := [f"{verdict.rule}: {verdict.detail}" for verdict in found if not verdict.passed]:
        assessment.record(ContractRejected(**told, cause="; ".join(broken)))
    else:
        assessment.record(ContractApproved(**told))


_LIST = Ref(SanctionList, "current")

AGGREGATES = (SanctionList, Validation, Assessment)
DECISIONS = (
    Decision(PublishSanctionList, lambda _: (_LIST,), publish_sanction_list),
    Decision(RecordValidation, lambda issued: (Ref(Validation, str(issued.id)), _LIST), record_validation, creates=True),
    Decision(
        RecordAssessment,
        lambda issued: (Ref(Assessment, str(issued.data.contract_id)), _LIST),
        record_assessment,
        creates=True,
    ),
)
