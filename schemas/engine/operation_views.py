"""The view of operations: what operators did."""

from datetime import datetime

from pydantic import Field, JsonValue

from schemas.access import Access
from schemas.engine.operations import CONTEXT, Outcome
from schemas.view import View


class Operations(
    View,
    context=CONTEXT,
    key="run_id",
    indexes=("began_at", ("operation", "began_at"), "actor"),
    access=Access.to("operator", "auditor"),
):
    """One run of an operation."""

    run_id: str
    operation: str | None = None
    """Its name, such as ``subscriptions/pause``."""
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    actor: str | None = None
    """The operator."""
    reason: str = ""
    outcome: Outcome | None = None
    """``None`` until it ends."""
    problem: str | None = None
    before: dict[str, JsonValue] = Field(default_factory=dict)
    after: dict[str, JsonValue] = Field(default_factory=dict)
    began_at: datetime | None = None
    ended_at: datetime | None = None


VIEWS = (Operations,)
