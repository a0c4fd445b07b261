"""Page requests: the parameters of a URL as a request to a view."""

import pytest

from query_api.views.page_request import MAX_FILTERS, Filter, Order, PageRequest, parse_page_request
from schemas.errors import Invalid


def test_filters_order_limit_and_cursor_are_read() -> None:
    request = parse_page_request(
        [
            ("status", "valid"),
            ("received_at[gte]", "2026-01-01T00:00:00Z"),
            ("sort", "-received_at,name"),
            ("limit", "5"),
            ("after", "x"),
        ]
    )

    assert request == PageRequest(
        (Filter("status", "eq", "valid"), Filter("received_at", "gte", "2026-01-01T00:00:00Z")),
        (Order("received_at", descending=True), Order("name")),
        5,
        "x",
    )
    assert parse_page_request([]) == PageRequest()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("limit", "0", "must be a number from 1 to 1000"),
        ("limit", "1001", "must be a number from 1 to 1000"),
        ("limit", "ten", "must be a number"),
        ("status[like]", "x", "has an unknown operator"),
        ("status", "\x00", "contains the character NUL"),
        ("sort", "a,-a", "names a column twice"),
        ("sort", ",".join(map(str, range(9))), "names more than 8 columns"),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem) as raised:
        parse_page_request([(name, value)])

    assert name in raised.value.detail


def test_filters_are_limited_in_number() -> None:
    allowed = [("status[ne]", str(n)) for n in range(MAX_FILTERS)]

    assert len(parse_page_request(allowed).filters) == MAX_FILTERS
    with pytest.raises(Invalid, match="at most 50 are allowed"):
        parse_page_request([*allowed, ("name", "x")])
