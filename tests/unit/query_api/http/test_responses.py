"""JSON of rows and models."""

from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel

from query_api.http.responses import json_response


class Shown(BaseModel):
    """A model with values that JSON has not."""

    id: UUID
    at: datetime


def test_models_and_times_become_json() -> None:
    shown = Shown(id=UUID(int=1), at=datetime(2026, 1, 31, tzinfo=UTC))

    response = json_response([shown, {"at": shown.at}], {"Link": "x"})

    assert bytes(response.body) == (
        b'[{"id":"00000000-0000-0000-0000-000000000001","at":"2026-01-31T00:00:00Z"},{"at":"2026-01-31T00:00:00Z"}]\n'
    )
    assert (response.headers["content-type"], response.headers["link"]) == ("application/json", "x")
