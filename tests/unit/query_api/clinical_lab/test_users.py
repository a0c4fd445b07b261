"""The list of users: without passwords and addresses, and shown only once the listing is sent."""

import pytest

from query_api.clinical_lab.users import QUERIES, users
from schemas.access import Caller
from schemas.clinical_lab.users import RecordUserListing
from schemas.errors import Unavailable
from tests.unit.query_api.clinical_lab.laboratory import ANA, ANA_ID, EVA_ID, asked, sent


@pytest.mark.parametrize("caller", [ANA, None])
async def test_users_are_listed_without_passwords_and_addresses_and_the_listing_is_sent(caller: Caller | None) -> None:
    context = asked(caller=caller)

    answer = await users(context)

    assert [one.model_dump() for one in answer.body] == [
        {"id": 1, "user_id": ANA_ID, "username": "ana", "role": 1},
        {"id": 2, "user_id": EVA_ID, "username": None, "role": 2},
    ]
    assert "next" in answer.headers["Link"]
    ((command, _),) = sent(context)
    assert command == RecordUserListing(listed_by=None if caller is None else caller.subject, users=2)


async def test_nothing_is_shown_if_the_listing_cannot_be_sent() -> None:
    with pytest.raises(Unavailable):
        await users(asked(broken=True))


async def test_an_empty_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.query_api.clinical_lab.laboratory.USERS", [])
    (query,) = QUERIES

    answer = await query.answer(asked(caller=None))

    assert answer.body.model_dump() == {"msg": "No hay usuarios registrados"}
