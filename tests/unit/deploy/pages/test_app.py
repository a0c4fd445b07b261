"""A live page: its files, its socket and what it posts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from deploy.flight_reservations import PAGES
from deploy.pages.app import POLICY, Pages
from deploy.pages.history import Frame
from streams.discovery import installed_catalog
from streams.security.token_keys import add_token_key
from streams.security.tokens import TokenIssuer
from streams.settings import Settings

(PAGE,) = PAGES
PORT = 80


def served(**settings: Any) -> tuple[TestClient, Any, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, json={}, headers={"Command-Id": "c1", "X-Other": "1"})

    client = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(gateway))
    pages = Pages({PORT: PAGE}, Settings(**settings), installed_catalog(["flight_reservations"]), {PAGE.name: client})
    return TestClient(pages, base_url="http://testserver"), pages._feeds[PORT].history, asked


def test_the_page_is_served_with_a_policy_for_its_content() -> None:
    client, _, _ = served()
    for path, kind in (
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/logo.svg", "image/svg"),
        ("/feed_files/feed.js", "text/javascript"),
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"].startswith(kind)) == (200, True), path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.get("/../sidecar.py").status_code == 404
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").json()["failing"] == {"feed": "the newest events have not been read yet"}


@contextmanager
def denied(client: TestClient, origin: str) -> Iterator[WebSocketDenialResponse]:
    with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/", headers={"Origin": origin}):
        pass
    yield caught.value


@pytest.mark.parametrize(
    ("profile", "allowed", "origin", "is_allowed"),
    [
        ("closed", "", "http://testserver", True),
        ("closed", "", "http://evil.example", False),
        ("closed", "", "http://localhost:3000", False),
        ("closed", "", "null", False),
        ("closed", "", "http://[", False),
        ("closed", "https://a.example", "https://a.example", True),
        ("closed", "*", "http://evil.example", True),
        ("seed", "", "null", True),
        ("seed", "", "http://localhost:3000", True),
        ("seed", "", "http://[::1]", True),
        ("seed", "", "http://evil.example", False),
        ("seed", "", "http://localhost.evil.example", False),
    ],
)
def test_only_pages_of_its_own_origin_and_of_allowed_ones_talk_to_it(
    profile: str, allowed: str, origin: str, is_allowed: bool
) -> None:
    client, _, asked = served(profile=profile, cors_origins=allowed)
    if is_allowed:
        with client.websocket_connect("/", headers={"Origin": origin}):
            pass
    else:
        with denied(client, origin) as answer:
            assert answer.status_code == 403
    posted = client.post("/vuelos/reserva-comando", json={}, headers={"Origin": origin})
    assert posted.status_code == (202 if is_allowed else 403)
    assert len(asked) == is_allowed


def test_every_socket_gets_every_frame_on_any_path_and_goes_on_after_a_break() -> None:
    client, history, _ = served(profile="seed")
    at = datetime(2026, 11, 30, tzinfo=UTC)
    with client:
        with client.websocket_connect("/any/path") as one, client.websocket_connect("/") as two:
            client.portal.call(history.add, [Frame("1", "Event", at, "first")])  # type: ignore[union-attr]
            one.send_bytes(b"\xff")  # what clients say is ignored
            one.send_text("{}")
            assert one.receive_text() == two.receive_text() == "first"
        client.portal.call(history.add, [Frame("2", "Event", at, "second")])  # type: ignore[union-attr]
        with client.websocket_connect("/?after=1") as again:
            assert [again.receive_text(), again.receive_text()] == ["first", "second"]


def test_there_is_a_limit_of_open_sockets() -> None:
    client, _, _ = served(profile="seed", max_live_views=1)
    with client:
        with client.websocket_connect("/"), denied(client, "null") as answer:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        with client.websocket_connect("/"):
            pass


def test_outside_the_profile_for_trying_a_token_with_the_role_is_needed(tmp_path: Path) -> None:
    add_token_key(tmp_path)
    issuer = TokenIssuer(Settings(token_keys=tmp_path))
    client, history, _ = served(token_keys=tmp_path)
    right, wrong = issuer.issue("ana", ["reservations_officer"]).text, issuer.issue("ana", ["auditor"]).text

    def rejection(**options: Any) -> str:
        with client.websocket_connect("/", **options) as socket, pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == POLICY
        return closed.value.reason

    assert "token" in rejection()
    assert "token" in rejection(subprotocols=["caudal", "caudal.bearer.nonsense"])
    assert "needs a token with one of the roles" in rejection(headers={"Authorization": f"Bearer {wrong}"})
    with client:
        expiring = (
            TokenIssuer(Settings(token_keys=tmp_path, token_lifetime_seconds=1)).issue("ana", ["reservations_officer"]).text
        )
        assert rejection(subprotocols=["caudal", f"caudal.bearer.{expiring}"]) == "the token has expired"
        with client.websocket_connect("/", subprotocols=["caudal", f"caudal.bearer.{right}"]) as socket:
            assert socket.accepted_subprotocol == "caudal"
            client.portal.call(history.add, [Frame("1", "Event", datetime.now(UTC), "first")])  # type: ignore[union-attr]
            assert socket.receive_text() == "first"
        with client.websocket_connect("/?after=unknown", headers={"Authorization": f"Bearer {right}"}) as socket:
            assert socket.receive_text() == "first"


def test_what_the_page_posts_is_passed_on_with_the_few_headers_that_count() -> None:
    client, _, asked = served()

    answer = client.post(
        "/vuelos/reserva-comando",
        json={"itinerarios": []},
        headers={"Authorization": "Bearer x", "Idempotency-Key": "k", "Cookie": "secret=1", "X-Forwarded-For": "1.2.3.4"},
    )

    assert (answer.status_code, answer.headers["command-id"], "x-other" in answer.headers) == (202, "c1", False)
    (request,) = asked
    assert (request.headers["authorization"], request.headers["idempotency-key"]) == ("Bearer x", "k")
    assert "cookie" not in request.headers and "x-forwarded-for" not in request.headers
    assert client.post("/vuelos/reserva", json={}).status_code == 405, "other paths of the gateway are not reached"
    assert client.post("/vuelos/reserva-comando", content=b"x" * 10_000_000).status_code == 413
