"""The deliveries of a partner are found by any spelling of the partner's name."""

from typing import Any

import pytest
from starlette.requests import Request

from query_api.data_ingestion import of_partner
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.view import View
from tests.unit.query_api.asking import request_of


class Views:
    """Deliveries of one partner, as a command names it."""

    partner_id = ReceiveData(partner_id="Jose\u0301", payload={}).partner_id

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str]) -> Page:
        rows: list[Any] = [{"partner_id": self.partner_id}] if fixed == (("partner_id", self.partner_id),) else []
        return Page(rows, "more" if rows else None)


@pytest.mark.parametrize(("name", "found"), [("Jos\u00e9", 1), ("Jose\u0301", 1), ("Jose", 0)])
async def test_a_partner_is_found_by_any_spelling_of_its_name(name: str, found: int) -> None:
    request = request_of("/query/partner/x")
    request.path_params["partner_id"] = name

    answer = await of_partner(QueryContext(request, Views(), None, {}))  # type: ignore[arg-type]

    assert (len(answer.body), len(answer.headers)) == (found, found)
