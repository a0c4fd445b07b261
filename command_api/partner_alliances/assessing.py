"""Assessing: compliance checks a bank account, which is encrypted everywhere else, before its decision."""

from aggregates.partner_alliances.rules import account_verdict
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.compliance import AssessContract, RecordAssessment, RecordValidation, ValidatePartner
from schemas.partner_alliances.parts import BankAccount, RuleVerdict


async def assess(command: CommandEnvelope[AssessContract], context: ActivityContext) -> RecordAssessment:
    """Adds the verdict on the bank account. The account of an erased owner counts as none."""
    data = command.data
    return RecordAssessment(
        contract_id=data.contract_id,
        partner_id=data.partner_id,
        temporary_id=data.temporary_id,
        profile=data.profile,
        account=await _verdict(data.account, context),
        product=data.product,
        amount=data.amount,
    )


async def validate(command: CommandEnvelope[ValidatePartner], context: ActivityContext) -> RecordValidation:
    """Adds the verdict on the bank account."""
    return RecordValidation(profile=command.data.profile, account=await _verdict(command.data.account, context))


async def _verdict(given: BankAccount | None, context: ActivityContext) -> RuleVerdict:
    account = given or BankAccount()
    plain = await context.keys.decrypted(filter(None, (account.iban, account.number)))
    return account_verdict(plain.get(account.iban or ""), account.bic, plain.get(account.number or ""))


ACTIVITIES = (Activity(AssessContract, assess), Activity(ValidatePartner, validate))
