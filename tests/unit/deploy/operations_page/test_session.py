"""Sessions: they lead to paths of the page alone, and forms of other sites are rejected."""

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from deploy.operations_page.session import check_same_origin, local_token, own_path
from schemas.errors import Forbidden
from streams.settings import Settings


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/log?log=a.b", "/log?log=a.b"),
        ("//example.org/x", "/"),
        ("https://example.org", "/"),
        ("/\\example.org", "/"),
        ("x", "/"),
        ("", "/"),
    ],
)
def test_an_address_elsewhere_becomes_the_first_screen(path: str, leads_to: str) -> None:
    assert own_path(path) == leads_to


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": [(b"host", b"a.example:5010"), *raw]})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin", "origin": "null"},
        {"origin": "http://a.example:5010"},
        {},
    ],
)
def test_a_form_of_the_page_itself_is_taken(headers: dict[str, str]) -> None:
    check_same_origin(request(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site", "origin": "http://a.example:5010"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "http://b.example"},
        {"origin": "null"},
    ],
)
def test_a_form_of_another_page_is_rejected(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        check_same_origin(request(**headers))


@pytest.mark.parametrize(("right", "code"), [(None, "x"), ("", ""), ("right", "wrong"), ("right", "")])
def test_no_other_code_signs_in(right: str | None, code: str) -> None:
    settings = Settings(page_code=None if right is None else SecretStr(right))

    with pytest.raises(Forbidden):
        local_token(settings, code)
