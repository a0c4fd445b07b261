"""Pages as answers."""

from query_api.queries.context import Answer, QueryContext
from query_api.views.paging import Page
from tests.unit.query_api.asking import request_of


def test_a_page_leads_to_the_next_one() -> None:
    context = QueryContext(request_of("/items", "limit=1"), None, None, {}, None, None)  # type: ignore[arg-type]

    assert context.page(Page([{"n": 1}], None)) == Answer([{"n": 1}])
    assert context.page(Page([{"n": 1}], "x"), ["one"]) == Answer(["one"], {"Link": '</items?limit=1&after=x>; rel="next"'})
