"""JSON of rows and models."""

from datetime import UTC, datetime
from uuid import UUID

import orjson
from pydantic import BaseModel

from query_api.http.responses import json_response


class Shown(BaseModel):
    """A model with values that JSON has not."""

    id: UUID
    at: datetime


class Counted(BaseModel):
    """A model with a number."""

    count: int


def test_models_and_times_become_json() -> None:
    shown = Shown(id=UUID(int=1), at=datetime(2026, 1, 31, tzinfo=UTC))

    response = json_response([shown, {"at": shown.at}], {"Link": "x"})

    assert bytes(response.body) == (
        b'[{"id":"00000000-0000-0000-0000-000000000001","at":"2026-01-31T00:00:00Z"},{"at":"2026-01-31T00:00:00Z"}]\n'
    )
    assert (response.headers["content-type"], response.headers["link"]) == ("application/json", "x")


def test_integers_of_any_size_are_written_exactly() -> None:
    wide = 99999999999999999999

    response = json_response({"a": [wide, -wide, (2**63, 1)], "row": Counted(count=wide), "data": orjson.Fragment(b"{}")})

    assert bytes(response.body) == (
        b'{"a":[99999999999999999999,-99999999999999999999,[9223372036854775808,1]],'
        b'"row":{"count":99999999999999999999},"data":{}}\n'
    )
