"""Validation by partners' schemas: in processes that are ended, because a schema may take hours on a payload."""

from pydantic import JsonValue

from aggregates.data_ingestion.cheap_checks import is_cheap
from aggregates.data_ingestion.validation import COSTLY_BEFORE, RULE_BOOK, TOO_COSTLY, check_compiles, is_valid, violations_of
from command_api.handling.activities import Activity, ActivityContext
from schemas.data_ingestion.ingestion import Payload
from schemas.data_ingestion.validation import RecordValidation, RegisterSchema, RuleViolation, ValidateData
from schemas.envelope import CommandEnvelope
from schemas.errors import CostlyBefore, Rejected, TooCostly
from streams.bounded_processes import Work


async def validate(command: CommandEnvelope[ValidateData], context: ActivityContext) -> RecordValidation:
    """Checks a delivery against its partner's schema; a schema that is too costly on it, or was on others, makes it invalid."""
    data = command.data
    rules = await context.load(RULE_BOOK, data.partner_id)
    violations: list[RuleViolation] = []
    if not (is_cheap(rules.json_schema, data.payload) and is_valid(rules.json_schema, data.payload)):
        violations = await _bounded(
            Work("check", data.partner_id, str(rules.revision)), rules.json_schema, data.payload, context
        )
    return RecordValidation(
        data_id=data.data_id, partner_id=data.partner_id, violations=violations, schema_revision=rules.revision
    )


async def _bounded(work: Work, schema: dict[str, JsonValue], payload: Payload, context: ActivityContext) -> list[RuleViolation]:
    try:
        return await context.processes.run(work, violations_of, schema, payload)
    except CostlyBefore:
        return [COSTLY_BEFORE]
    except TooCostly:
        return [TOO_COSTLY]


async def compile_schema(command: CommandEnvelope[RegisterSchema], context: ActivityContext) -> RegisterSchema:
    """Compiles a schema; raises `Rejected` for one that is broken or too costly."""
    try:
        await context.processes.run(Work("compile", command.data.partner_id), check_compiles, command.data.json_schema)
    except CostlyBefore:
        raise Rejected("too many schemas of this partner took too long to compile: send another one in a minute") from None
    except TooCostly:
        raise Rejected("the schema takes too long to compile: use fewer or smaller rules") from None
    return command.data


ACTIVITIES = (
    Activity(ValidateData, validate, has_side_effects=False),
    Activity(RegisterSchema, compile_schema, has_side_effects=False),
)
