"""Tokens of an external OpenID Connect issuer, whose keys are found by discovery."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.ports import LOOPBACK, free_ports
from deploy.serving.serve import Server
from schemas.access import Caller
from schemas.errors import Unauthenticated, Unavailable
from streams.security import tokens
from streams.security.token_keys import add_token_key
from streams.security.tokens import TokenIssuer, TokenVerifier
from streams.settings import Settings


class Issuer:
    """An issuer on loopback, which counts the requests for its keys."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.keys: list[RSAKey | ECKey] = [RSAKey.generate_key(2048, {"kid": "rsa"})]
        self.asked = 0

    async def about(self, _: Request) -> Response:
        return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def public(self, _: Request) -> Response:
        self.asked += 1
        return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))

    def token(self, algorithm: str = "RS256", key: Any = None, **changed: Any) -> str:
        key = key or self.keys[0]
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "caudal",
            "sub": "maria",
            "exp": now + 60,
            "groups": ["nurse"],
            "scope": "a b",
            **changed,
        }
        return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    port = free_ports(1)[0]
    made = Issuer(port)
    routes = [Route("/.well-known/openid-configuration", made.about), Route("/keys", made.public)]
    server = Server(Starlette(routes=routes), LOOPBACK, port, Settings())
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield made
    server.stop()
    await serving


@pytest.fixture
def settings(issuer: Issuer, tmp_path: Path) -> Settings:
    add_token_key(tmp_path)
    return Settings(oidc_issuer=issuer.url, oidc_roles_claim="groups", token_keys=tmp_path)


async def test_its_tokens_are_valid_beside_those_of_this_deployment(issuer: Issuer, settings: Settings) -> None:
    verifier = TokenVerifier(settings)

    for _ in range(3):
        assert await verifier.caller(issuer.token()) == Caller("maria", frozenset({"nurse"}), frozenset({"a", "b"}))
    assert issuer.asked == 1
    ours = TokenIssuer(settings).issue("ana", ["auditor"])
    assert (await verifier.caller(ours.text)).roles == {"auditor"}


async def test_a_new_key_is_fetched_and_not_too_often(
    issuer: Issuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(settings)
    await verifier.caller(issuer.token())
    issuer.keys.append(ECKey.generate_key("P-256", {"kid": "ec"}))
    with pytest.raises(Unauthenticated, match="key is not known"):
        await verifier.caller(issuer.token("ES256", issuer.keys[1]))
    assert issuer.asked == 1

    monkeypatch.setattr(tokens, "_FETCH_AGAIN_SECONDS", 0)
    assert (await verifier.caller(issuer.token("ES256", issuer.keys[1]))).subject == "maria"
    assert issuer.asked == 2


async def test_a_request_with_a_known_key_does_not_wait_for_the_issuer(
    issuer: Issuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(settings)
    await verifier.caller(issuer.token())
    monkeypatch.setattr(tokens, "_FETCH_AGAIN_SECONDS", 0)
    monkeypatch.setattr(tokens, "_REFRESH_SECONDS", -1)
    silent = asyncio.Event()

    async def never(_: object) -> dict[str, object]:
        await silent.wait()
        raise Unavailable("the issuer is silent")

    monkeypatch.setattr(tokens._ExternalIssuer, "_fetched_keys", never)

    for _ in range(3):
        assert (await asyncio.wait_for(verifier.caller(issuer.token()), 1)).subject == "maria"
    silent.set()


async def test_a_token_that_is_forged_in_its_name_is_not_valid(issuer: Issuer, settings: Settings) -> None:
    verifier = TokenVerifier(settings)
    secret = OctKey.import_key(orjson.dumps(issuer.keys[0].as_dict(private=False)), {"kid": "rsa"})
    ours = TokenIssuer(settings)
    for token in (
        issuer.token("HS256", secret),
        issuer.token(key=RSAKey.generate_key(2048, {"kid": "rsa"})),
        issuer.token(aud="others"),
        issuer.token(exp=int(time.time()) - 3600),
        issuer.token(iss="http://others.example"),
        issuer.token(sub=None),
    ):
        with pytest.raises(Unauthenticated):
            await verifier.caller(token)
    named_ours = ours.issue("ana").text
    with pytest.raises(Unauthenticated):
        await TokenVerifier(settings.model_copy(update={"token_issuer": issuer.url})).caller(named_ours)


async def test_the_error_says_that_the_issuer_is_out_of_reach(settings: Settings) -> None:
    closed = f"http://{LOOPBACK}:{free_ports(1)[0]}"
    verifier = TokenVerifier(settings.model_copy(update={"oidc_issuer": closed}))
    key = RSAKey.generate_key(2048, {"kid": "rsa"})
    token = jwt.encode({"alg": "RS256", "kid": "rsa"}, {"iss": closed, "sub": "maria"}, key, algorithms=["RS256"])

    for _ in range(2):
        with pytest.raises(Unavailable, match=r"cannot be fetched.*out of reach"):
            await verifier.caller(token)
