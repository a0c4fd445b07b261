"""Tokens of an external OpenID Connect issuer, whose keys are found by discovery."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from deploy.local.ports import LOOPBACK, free_ports
from deploy.serving.serve import Server
from schemas.access import Caller
from schemas.errors import Unauthenticated, Unavailable
from streams.security import external_issuer
from streams.security.token_keys import add_token_key
from streams.security.tokens import TokenIssuer, TokenVerifier
from streams.settings import Settings


class Issuer:
    """An issuer on loopback, which counts the requests for its keys."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.keys: list[RSAKey | ECKey] = [RSAKey.generate_key(2048, {"kid": "rsa"})]
        self.asked = 0
        self.name = self.url
        """As discovery has it."""
        self.beside: list[Any] = []
        """Further entries of its set."""
        self.answer: Any = None
        """Its answer in place of the set."""

    async def about(self, _: Request) -> Response:
        return JSONResponse({"issuer": self.name, "jwks_uri": f"{self.url}/keys"})

    async def public(self, _: Request) -> Response:
        self.asked += 1
        if self.answer is not None:
            return JSONResponse(self.answer)
        return JSONResponse({"keys": [*self.beside, *(key.as_dict(private=False) for key in self.keys)]})

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

    monkeypatch.setattr(external_issuer, "_FETCH_AGAIN_SECONDS", 0)
    assert (await verifier.caller(issuer.token("ES256", issuer.keys[1]))).subject == "maria"
    assert issuer.asked == 2


async def test_a_request_with_a_known_key_does_not_wait_for_the_issuer(
    issuer: Issuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(settings)
    await verifier.caller(issuer.token())
    monkeypatch.setattr(external_issuer, "_FETCH_AGAIN_SECONDS", 0)
    monkeypatch.setattr(external_issuer, "_REFRESH_SECONDS", -1)
    silent = asyncio.Event()

    async def never(_: object) -> dict[str, object]:
        await silent.wait()
        raise Unavailable("the issuer is silent")

    monkeypatch.setattr(external_issuer.ExternalIssuer, "_fetched", never)

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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every set of keys too old to be believed."""
    for name, seconds in (("_FETCH_AGAIN_SECONDS", 0), ("_REFRESH_SECONDS", -1), ("_BELIEVED_SECONDS", -1)):
        monkeypatch.setattr(external_issuer, name, seconds)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("successor", ["another key", "a key that is not usable", "nothing"])
async def test_a_key_that_was_removed_is_not_believed_any_more(issuer: Issuer, settings: Settings, successor: str) -> None:
    verifier, removed = TokenVerifier(settings), issuer.token()
    assert (await verifier.caller(removed)).subject == "maria"

    issuer.keys = [ECKey.generate_key("P-256", {"kid": "ec"})] if successor == "another key" else []
    issuer.beside = UNUSABLE[:1] if successor == "a key that is not usable" else []

    with pytest.raises(Unauthenticated, match="key is not known"):
        await verifier.caller(removed)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answer", [{}, [], {"keys": {}}, {"keys": None}, "keys", 7])
async def test_an_answer_that_is_no_set_is_an_outage_in_which_known_keys_stay(
    issuer: Issuer, settings: Settings, answer: Any
) -> None:
    verifier = TokenVerifier(settings)
    await verifier.caller(issuer.token())
    issuer.answer = answer

    for _ in range(2):
        assert (await verifier.caller(issuer.token())).subject == "maria"
    with pytest.raises(Unavailable, match="is out of reach, or its answer is not valid"):
        await verifier.caller(issuer.token(key=RSAKey.generate_key(2048, {"kid": "other"})))


@pytest.mark.usefixtures("impatient")
async def test_known_keys_are_believed_for_a_day_of_an_outage_at_most(
    issuer: Issuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier, answer = TokenVerifier(settings), issuer.answer
    await verifier.caller(issuer.token())
    issuer.answer = {}
    await verifier.caller(issuer.token())

    monkeypatch.setattr(external_issuer, "_BELIEVED_IN_AN_OUTAGE_SECONDS", -1)
    with pytest.raises(Unavailable):
        await verifier.caller(issuer.token())
    issuer.answer = answer
    assert (await verifier.caller(issuer.token())).subject == "maria"


UNUSABLE: list[Any] = [
    {"kty": "EC", "crv": "brainpoolP256r1", "x": "AA", "y": "AA", "kid": "brainpool"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off the curve"},
    {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "not base64"},
    {"kty": "RSA", "n": 5, "e": "AQAB", "kid": "a number"},
    {"kty": "AKP", "kid": "of tomorrow"},
    {"kty": "oct", "k": "AAAA", "kid": "a secret"},
    {"kty": "OKP", "crv": "Ed25519", "x": "", "kid": "empty"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc", "kid": "for encryption"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    {},
    None,
    "key",
]


async def test_keys_that_are_not_usable_are_skipped_with_a_warning(issuer: Issuer, settings: Settings) -> None:
    issuer.beside = UNUSABLE

    with capture_logs() as logs:
        assert (await TokenVerifier(settings).caller(issuer.token())).subject == "maria"

    skipped = [log for log in logs if log["event"] == "token key of the issuer skipped"]
    assert [log["log_level"] for log in skipped] == ["warning"] * len(UNUSABLE)
    assert skipped[0]["key"] == "brainpool"


@pytest.mark.parametrize("configured", ["", "/"])
@pytest.mark.parametrize("discovered", ["", "/"])
async def test_discovery_says_whether_the_issuers_name_ends_with_a_slash(
    issuer: Issuer, settings: Settings, configured: str, discovered: str
) -> None:
    issuer.name = issuer.url + discovered
    verifier = TokenVerifier(settings.model_copy(update={"oidc_issuer": issuer.url + configured}))

    assert (await verifier.caller(issuer.token(iss=issuer.name))).subject == "maria"
    other = issuer.url + {"": "/", "/": ""}[discovered]
    with pytest.raises(Unauthenticated):
        await verifier.caller(issuer.token(iss=other))


@pytest.mark.parametrize(
    ("claim", "claims", "roles"),
    [
        ("groups", {"groups": "nurse"}, {"nurse"}),
        ("groups", {"groups": "night nurse"}, {"night nurse"}),
        ("groups", {"groups": [1, None, {"a": 1}, ["auditor"], "nurse", True]}, {"nurse"}),
        ("groups", {"groups": {"nurse": {}}}, set()),
        ("groups", {"groups": None}, set()),
        ("groups", {"groups": 5}, set()),
        ("realm_access.roles", {"realm_access": {"roles": ["nurse"]}}, {"nurse"}),
        ("resource_access.caudal.roles", {"resource_access": {"caudal": {"roles": ["nurse"]}}}, {"nurse"}),
        ("realm_access.roles", {"realm_access": ["roles"]}, set()),
        ("realm_access.roles", {}, set()),
        ("https://example.org/roles", {"https://example.org/roles": ["nurse"]}, {"nurse"}),
    ],
)
async def test_roles_are_the_texts_of_their_claim(
    issuer: Issuer, settings: Settings, claim: str, claims: dict[str, Any], roles: set[str]
) -> None:
    verifier = TokenVerifier(settings.model_copy(update={"oidc_roles_claim": claim}))

    assert (await verifier.caller(issuer.token(**{"groups": [], **claims}))).roles == roles


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a  b"}, {"a", "b"}),
        ({"scope": ["a", "b"]}, {"a", "b"}),
        ({"scope": None, "scp": "a b"}, {"a", "b"}),
        ({"scope": 5, "scp": ["a", 7, None, "b c"]}, {"a", "b", "c"}),
        ({"scope": "a", "scp": ["b"]}, {"a", "b"}),
        ({"scope": {"a": 1}}, set()),
    ],
)
async def test_scopes_are_texts_and_lists_under_either_name(
    issuer: Issuer, settings: Settings, claims: dict[str, Any], scopes: set[str]
) -> None:
    assert (await TokenVerifier(settings).caller(issuer.token(**claims))).scopes == scopes


@pytest.mark.parametrize(("subject", "is_held"), [("x" * 200, True), ("x" * 201, False), ("a\nb", False), ("", False)])
async def test_a_subject_that_cannot_be_recorded_is_rejected_with_the_reason(
    issuer: Issuer, settings: Settings, subject: str, is_held: bool
) -> None:
    verifier, token = TokenVerifier(settings), issuer.token(sub=subject)
    if is_held:
        assert (await verifier.caller(token)).subject == subject
    else:
        with pytest.raises(Unauthenticated, match="sub"):
            await verifier.caller(token)
