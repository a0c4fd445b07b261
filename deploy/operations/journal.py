"""The journal: the engine's log of what operators did."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from command_api.composition import CommandIssuer
from schemas.engine.operations import BeginOperation, EndOperation, Outcome
from schemas.envelope import Receipt


class Journal:
    """Records the runs of one operator, with the reason."""

    def __init__(self, issuer: CommandIssuer, actor: str, reason: str = "") -> None:
        self.issuer, self.actor, self.reason = issuer, actor, reason

    async def begin(
        self, run_id: UUID, operation: str, parameters: Mapping[str, JsonValue], before: Mapping[str, JsonValue]
    ) -> Receipt:
        """Records that a run begins; raises `Unavailable`."""
        command = BeginOperation(
            run_id=run_id, operation=operation, parameters=dict(parameters), reason=self.reason, before=dict(before)
        )
        return await self.issuer.issue(command, self.actor)

    async def end(self, run_id: UUID, outcome: Outcome, problem: str | None, after: Mapping[str, JsonValue]) -> Receipt:
        """Records how a run ended; raises `Unavailable`."""
        return await self.issuer.issue(
            EndOperation(run_id=run_id, outcome=outcome, problem=problem, after=dict(after)), self.actor
        )
