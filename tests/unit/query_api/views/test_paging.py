"""Pages: limits, cursors, and the link to the next page."""

import pytest

from query_api.views.paging import next_link, parse_limit, read_cursor, write_cursor
from schemas.errors import Invalid


def test_a_cursor_gives_back_the_values_of_its_list() -> None:
    cursor = write_cursor(["-received_at", "data_id"], [None, "a/b?"])

    assert read_cursor(["-received_at", "data_id"], cursor) == [None, "a/b?"]


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "W10", write_cursor(["data_id"], [None]), write_cursor(["data_id"], []), write_cursor(["-data_id"], [1])],
)
def test_a_cursor_of_another_list_is_rejected(cursor: str) -> None:
    with pytest.raises(Invalid, match="is not a cursor of this list in this order"):
        read_cursor(["data_id"], cursor)


def test_the_link_keeps_the_other_parameters_and_escapes_the_path() -> None:
    link = next_link("/query/partner/東京 a", [("limit", "1"), ("after", "old"), ("status", "a&b")], "new")

    assert link == '</query/partner/%E6%9D%B1%E4%BA%AC%20a?limit=1&status=a%26b&after=new>; rel="next"'


@pytest.mark.parametrize("text", ["", "0", "11", "+1", "\uff11", "00000000000000000001"])
def test_a_limit_is_a_number_up_to_the_maximum(text: str) -> None:
    with pytest.raises(Invalid, match="from 1 to 10"):
        parse_limit(text, 10)
