"""The declaration of a question: a path of a system's own whose answer is not the rows of one view."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from pydantic import BaseModel

from query_api.queries.context import Answer, QueryContext, QueryHandler
from query_api.queries.query import Query
from schemas.access import Access
from schemas.clients.dialect import Dialect
from schemas.errors import Forbidden, Unauthenticated
from streams.http.request_context import caller_of


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a system's ``QUERIES``, beside each `Query`.

    The views that the handler reads check access to themselves.
    """

    path: str
    """Without parameters."""
    handler: QueryHandler
    shape: type[BaseModel]
    """The model of the answer."""
    summary: str
    _: KW_ONLY
    access: Access | None = None
    """Who may ask; ``None``: every caller, in every profile."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that a request must have, each with its description."""
    errors: Dialect | None = None
    """How errors are reported; ``None``: as problem documents."""

    async def answer(self, context: QueryContext) -> Answer:
        """Returns the answer to a request; raises `Unauthenticated`, `Forbidden` and what the handler raises."""
        if self.access is not None:
            caller = caller_of(context.request)
            if caller is None:
                raise Unauthenticated(had_token=False)
            if (why := self.access.why_not(caller)) is not None:
                raise Forbidden(f"{self.path} needs {why}")
        return await self.handler(context)


OwnQuery = Query | Question
"""A row of a system's ``QUERIES``."""
