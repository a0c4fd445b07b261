"""Sessions of the page: the caller's access token in a cookie that no script reads and no other site sends."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schemas.errors import Forbidden
from streams.security.tokens import TokenIssuer
from streams.settings import Settings

COOKIE = "caudal_operator"
_LOCAL_OPERATOR = "local-operator"
_LOCAL_ROLES = ("auditor", "operator", "privacy_officer")


def token_of(request: Request) -> str | None:
    """Returns the token of a browser that has signed in."""
    return request.cookies.get(COOKIE)


def signed_in(request: Request, token: str, path: str = "/") -> Response:
    """Returns the answer that signs a browser in and leads it to a path of this page."""
    answer = RedirectResponse(own_path(path), 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/")
    return answer


def signed_out() -> Response:
    """Returns the answer that signs a browser out."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def own_path(path: str) -> str:
    """Returns a path of this page; any other address becomes the first screen."""
    parts = urlsplit(path)
    return path if path.startswith("/") and not path.startswith("//") and not parts.netloc and "\\" not in path else "/"


def local_token(settings: Settings, code: str) -> str:
    """Returns a token for the operator of a local stack, who has its code; raises `Forbidden` for another one."""
    right = settings.page_code
    if (
        right is None
        or not right.get_secret_value()
        or not hmac.compare_digest(right.get_secret_value().encode(), code.encode())
    ):
        raise Forbidden("this is not the code of a stack that runs: `caudal up` prints the address")
    return TokenIssuer(settings).issue(_LOCAL_OPERATOR, _LOCAL_ROLES).text


def check_same_origin(request: Request) -> None:
    """Raises `Forbidden` unless a form was sent by a page of this origin. A browser that names no site names the origin."""
    headers: Mapping[str, str] = request.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    is_own = site == "same-origin" if site is not None else origin is None or urlsplit(origin).netloc == headers.get("host")
    if not is_own:
        raise Forbidden("the form was sent by another page")
