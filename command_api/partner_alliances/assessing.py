"""What compliance has decrypted: a bank account, encrypted everywhere else, is held against its rule before a decision."""

from aggregates.partner_alliances.rules import account_verdict
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.compliance import AssessContract, RecordAssessment, RecordValidation, ValidatePartner
from schemas.partner_alliances.parts import BankAccount, RuleVerdict


async def assess(issued: CommandEnvelope[AssessContract], surroundings: ActivityContext) -> RecordAssessment:
    """Adds what the rule of bank accounts says. One whose owner was erased is none."""
    command = issued.data
    return RecordAssessment(
        contract_id=command.contract_id,
        partner_id=command.partner_id,
        temporary_id=command.temporary_id,
        profile=command.profile,
        account=await _verdict(command.account, surroundings),
    )


async def validate(issued: CommandEnvelope[ValidatePartner], surroundings: ActivityContext) -> RecordValidation:
    """Adds what the rule of bank accounts says."""
    command = issued.data
    return RecordValidation(profile=command.profile, account=await _verdict(command.account, surroundings))


async def _verdict(given: BankAccount | None, surroundings: ActivityContext) -> RuleVerdict:
    account = given or BankAccount()
    decrypted = await surroundings.keys.decrypted(filter(None, (account.iban, account.number)))
    return account_verdict(decrypted.get(account.iban or ""), account.bic, decrypted.get(account.number or ""))


ACTIVITIES = (Activity(AssessContract, assess), Activity(ValidatePartner, validate))
