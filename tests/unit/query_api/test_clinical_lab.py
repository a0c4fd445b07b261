"""Results and users of the laboratory: shown only once the reading or the listing is sent."""

from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from query_api.clinical_lab import result, results, saga_entries, users
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.access import Caller
from schemas.clinical_lab.users import RecordUserListing
from schemas.clinical_lab.views import ListedUsers, SagaEntries
from schemas.errors import NotFound, Unavailable
from schemas.view import View
from tests.unit.query_api.asking import request_of

ID = UUID(int=7)
ROW = {"result_id": ID, "number": 3}


USERS = [
    {"number": 1, "user_id": ID, "username": "ana", "role": "clinician"},
    {"number": 2, "user_id": UUID(int=8), "username": None, "role": "patient"},
]


ENTRY: dict[str, Any] = {"entry_id": "a", "reference_ids": [], "actor": None, "data": {"number": 1}, "created_at": None}
ENTRIES = [
    {**ENTRY, "position": 9, "saga": "clinical_lab.reading", "event_type": "ResultQueried", "status": "handled"},
    {**ENTRY, "position": 4, "saga": "clinical_lab.registration", "event_type": "UserCreated", "status": "received"},
]


class Views:
    """One result, two users, one of whom was erased, and two entries of the log of sagas."""

    async def row(self, request: Request, view: type[View], key: str) -> Any:
        if key != str(ID):
            raise NotFound("no row")
        return ROW

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str], limit: int = 100) -> Page:
        if view is ListedUsers:
            return Page(USERS, "next")
        if view is SagaEntries:
            self.sorted_by = dict(fixed).get("sort")
            return Page(ENTRIES, None)
        return Page([ROW] if fixed in ((), (("number", "3"),)) else [], None)


class Commands:
    """Keeps what is sent, unless the broker is out of reach."""

    def __init__(self, *, broken: bool = False) -> None:
        self.sent: list[Any] = []
        self.broken = broken

    async def send(self, request: Request, commands: list[Any]) -> None:
        if self.broken:
            raise Unavailable("no broker")
        self.sent += commands


ANA = Caller("ana")


def asked(result_id: str = "", *, broken: bool = False, caller: Caller | None = ANA) -> QueryContext:
    request = request_of("/results", caller=caller)
    request.path_params["result_id"] = result_id
    return QueryContext(request, Views(), Commands(broken=broken), {})  # type: ignore[arg-type]


@pytest.mark.parametrize("result_id", ["3", str(ID)])
async def test_a_result_is_found_by_its_number_and_by_its_id(result_id: str) -> None:
    context = asked(result_id)

    answer = await result(context)

    assert answer.body == {**ROW, "id": 3}
    ((command, key),) = context.commands.sent  # type: ignore[attr-defined]
    assert (command.result_id, command.queried_by, key) == (ID, "ana", str(ID))


@pytest.mark.parametrize("result_id", ["4", "x", "3" * 19])
async def test_a_result_that_is_not_there_is_not_found_and_no_reading_is_sent(result_id: str) -> None:
    context = asked(result_id)

    with pytest.raises(NotFound):
        await result(context)
    assert context.commands.sent == []  # type: ignore[attr-defined]


async def test_each_result_of_a_page_is_a_reading() -> None:
    context = asked()

    assert (await results(context)).body == [{**ROW, "id": 3}]
    assert len(context.commands.sent) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("caller", [ANA, None])
async def test_users_are_listed_without_passwords_and_addresses_and_the_listing_is_sent(caller: Caller | None) -> None:
    context = asked(caller=caller)

    answer = await users(context)

    assert [one.model_dump() for one in answer.body] == [
        {"id": 1, "user_id": ID, "username": "ana", "role": 1},
        {"id": 2, "user_id": UUID(int=8), "username": None, "role": 2},
    ]
    assert "next" in answer.headers["Link"]
    ((command, _),) = context.commands.sent  # type: ignore[attr-defined]
    assert command == RecordUserListing(listed_by=None if caller is None else "ana", users=2)


async def test_the_log_of_sagas_is_shown_in_the_clients_words_the_newest_first() -> None:
    context = asked()

    shown = [one.model_dump() for one in (await saga_entries(context)).body]

    same = {"data": {"number": 1}, "created_at": None}
    assert shown == [
        {"id": 9, "topic": "event-topic", "event_type": "ResultQueried", "status": "PROCESSED", **same},
        {"id": 4, "topic": "event-user", "event_type": "UserCreated", "status": "RECEIVED", **same},
    ]
    assert context.views.sorted_by == "-position"  # type: ignore[attr-defined]


async def test_a_request_may_sort_the_log_of_sagas_itself() -> None:
    request = request_of("/clinical_lab/saga/logs", "sort=event_type", ANA)
    context = QueryContext(request, Views(), Commands(), {})  # type: ignore[arg-type]

    await saga_entries(context)

    assert context.views.sorted_by is None  # type: ignore[attr-defined]


async def test_nothing_is_shown_if_the_reading_cannot_be_sent() -> None:
    for handler in (result, results, users):
        with pytest.raises(Unavailable):
            await handler(asked("3", broken=True))
