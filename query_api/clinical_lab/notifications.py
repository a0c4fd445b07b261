"""The health of notifications, as their clients ask for it."""

from typing import Literal

from pydantic import BaseModel

from query_api.queries.context import Answer, QueryContext
from query_api.queries.question import Question


class Health(BaseModel):
    """Whether this API answers."""

    status: Literal["ok"] = "ok"


async def health(_: QueryContext) -> Answer:
    """Returns that this API answers. Mail that cannot be delivered is sent again later, and is no failure."""
    return Answer(Health())


QUERIES = (Question("/notifications/health", health, Health, "Whether notifications answer."),)
