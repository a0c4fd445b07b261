"""What compliance has opened: a bank account, sealed everywhere else, is held against its rule before a decision."""

from aggregates.partner_alliances.rules import account_verdict
from command_api.handling.activities import Activity, Surroundings
from schemas.envelope import Issued
from schemas.partner_alliances.compliance import AssessContract, RecordAssessment, RecordValidation, ValidatePartner
from schemas.partner_alliances.parts import BankAccount, RuleVerdict


async def assess(issued: Issued[AssessContract], surroundings: Surroundings) -> RecordAssessment:
    """Adds what the rule of bank accounts says. One whose owner was forgotten is none."""
    command = issued.command
    return RecordAssessment(
        contract_id=command.contract_id,
        partner_id=command.partner_id,
        temporary_id=command.temporary_id,
        profile=command.profile,
        account=await _verdict(command.account, surroundings),
    )


async def validate(issued: Issued[ValidatePartner], surroundings: Surroundings) -> RecordValidation:
    """Adds what the rule of bank accounts says."""
    command = issued.command
    return RecordValidation(profile=command.profile, account=await _verdict(command.account, surroundings))


async def _verdict(given: BankAccount | None, surroundings: Surroundings) -> RuleVerdict:
    account = given or BankAccount()
    opened = await surroundings.keys.opened(filter(None, (account.iban, account.number)))
    return account_verdict(opened.get(account.iban or ""), account.bic, opened.get(account.number or ""))


ACTIVITIES = (Activity(AssessContract, assess), Activity(ValidatePartner, validate))
