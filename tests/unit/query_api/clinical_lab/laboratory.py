"""A read side of the laboratory in memory: what its handlers read and send."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request

from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.access import Caller
from schemas.clinical_lab.views import ListedUsers, Results, SagaEntries, Users
from schemas.errors import NotFound, Unavailable
from schemas.view import View
from streams.http.request_context import caller_of
from tests.unit.query_api.asking import request_of

RESULT = UUID(int=7)
ANA_ID, EVA_ID = UUID(int=11), UUID(int=12)
ANA, EVA = Caller(str(ANA_ID), frozenset({"clinician"})), Caller(str(EVA_ID), frozenset({"patient"}))
AUDITOR = Caller("auditor", frozenset({"auditor"}))
NUMBERED = {"result_id": RESULT, "number": 3}
USERS = [
    {"number": 1, "user_id": ANA_ID, "username": "ana", "role": "clinician"},
    {"number": 2, "user_id": EVA_ID, "username": None, "role": "patient"},
]
"""The second one was erased."""
_ENTRY: dict[str, Any] = {"entry_id": "a", "reference_ids": [], "actor": None, "data": {"number": 1}, "created_at": None}
ENTRIES = [
    {**_ENTRY, "position": 9, "saga": "clinical_lab.reading", "event_type": "ResultQueried", "status": "handled"},
    {**_ENTRY, "position": 4, "saga": "clinical_lab.registration", "event_type": "UserCreated", "status": "received"},
]


class Views:
    """One result, two users, and two entries of the log of sagas."""

    def __init__(self) -> None:
        self.asked: list[tuple[type[View], tuple[tuple[str, str], ...], int]] = []

    async def row(self, request: Request, view: type[View], key: str, *, one_of_several: bool = False) -> Any:
        rows = [one for one in self._users(request) if str(one["user_id"]) == key] if view is Users else [NUMBERED]
        if not rows or (view is Results and key != str(RESULT)):
            raise NotFound("no row")
        return rows[0]

    async def page(
        self, request: Request, view: type[View], *fixed: tuple[str, str], limit: int = 100, one_of_several: bool = False
    ) -> Page:
        self.asked.append((view, fixed, limit))
        rows: Sequence[Any] = {ListedUsers: USERS, SagaEntries: ENTRIES, Results: [NUMBERED], Users: self._users(request)}[view]
        numbers = {number for name, number in fixed if name == "number"}
        return Page([one for one in rows if not numbers or str(one["number"]) in numbers], "next")

    @staticmethod
    def _users(request: Request) -> list[dict[str, Any]]:
        """Returns the users that a caller may see."""
        caller = caller_of(request)
        return [one for one in USERS if caller == AUDITOR or (caller is not None and str(one["user_id"]) == caller.subject)]


class Commands:
    """Keeps what is sent, unless the broker is out of reach."""

    def __init__(self, *, broken: bool = False) -> None:
        self.sent: list[Any] = []
        self.broken = broken

    async def send(self, request: Request, commands: list[Any]) -> None:
        if self.broken:
            raise Unavailable("no broker")
        self.sent += commands


def asked(
    query: str = "", *, result_id: str = "", broken: bool = False, caller: Caller | None = ANA, **headers: str
) -> QueryContext:
    """Returns the context of a caller's request."""
    request = request_of("/", query, caller, **headers)
    request.path_params["result_id"] = result_id
    return QueryContext(request, Views(), Commands(broken=broken), {}, None, None)  # type: ignore[arg-type]


def sent(context: QueryContext) -> list[Any]:
    """Returns the commands that a handler sent, each with its key."""
    assert isinstance(context.commands, Commands)
    return context.commands.sent
