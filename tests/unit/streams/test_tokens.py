"""Tokens: who has one of ours is let in, and none that is forged in a known way."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from schemas.access import Access, Caller
from schemas.errors import Misconfigured, Unauthenticated
from streams.settings import Settings
from streams.token_keys import TokenKeys, add_token_key, retire_token_key
from streams.tokens import TokenIssuer, TokenVerifier

Claims = dict[str, Any]
HEAD = {"alg": "Ed25519", "typ": "at+jwt"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add_token_key(tmp_path / "tokens")
    return tmp_path / "tokens"


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(token_keys=folder)


def claims(**changed: Any) -> Claims:
    now = int(time.time())
    made = {"iss": "caudal", "aud": "caudal", "sub": "mallory", "iat": now, "exp": now + 60, "roles": ["auditor"], **changed}
    return {name: value for name, value in made.items() if value is not None}


def encoded(part: Mapping[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else orjson.dumps(part)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_a_token_says_who_is_calling(settings: Settings) -> None:
    token = TokenIssuer(settings).issue("maria", ["clinician"], ["results:write"])

    caller = await TokenVerifier(settings).caller(token.text)

    assert caller == Caller("maria", frozenset({"clinician"}), frozenset({"results:write"}))
    assert token.expires_in == 3600


async def test_a_token_stays_good_while_its_key_is_there(settings: Settings, folder: Path) -> None:
    verifier, issuer = TokenVerifier(settings), TokenIssuer(settings)
    old = issuer.issue("maria")
    first = TokenKeys(folder).newest().kid
    await asyncio.sleep(1.05)
    second = add_token_key(folder)
    new = TokenIssuer(settings).issue("maria")

    assert jwt.decode(new.text, TokenKeys(folder).newest(), algorithms=["Ed25519"]).header["kid"] == second
    assert (await verifier.caller(old.text)).subject == (await verifier.caller(new.text)).subject == "maria"
    assert first is not None
    retire_token_key(folder, first)
    await asyncio.sleep(1.05)
    with pytest.raises(Unauthenticated, match="not one of ours"):
        await verifier.caller(old.text)


def _unsigned(keys: TokenKeys) -> str:
    return f"{encoded({**HEAD, 'alg': 'none', 'kid': keys.newest().kid})}.{encoded(claims())}."


def _with_header(**header: Any) -> Callable[[TokenKeys], str]:
    def make(keys: TokenKeys) -> str:
        key = keys.newest()
        return jwt.encode({**HEAD, "kid": key.kid, **header}, claims(), key, algorithms=["Ed25519"])

    return make


def _with_claims(**changed: Any) -> Callable[[TokenKeys], str]:
    def make(keys: TokenKeys) -> str:
        key = keys.newest()
        return jwt.encode({**HEAD, "kid": key.kid}, claims(**changed), key, algorithms=["Ed25519"])

    return make


def _signed_with_the_public_key_as_secret(keys: TokenKeys) -> str:
    secret = OctKey.import_key(orjson.dumps(keys.public()))
    return jwt.encode({**HEAD, "alg": "HS256", "kid": keys.newest().kid}, claims(), secret, algorithms=["HS256"])


def _signed_by_another(keys: TokenKeys) -> str:
    key = OKPKey.generate_key("Ed25519")
    return jwt.encode({**HEAD, "kid": keys.newest().kid}, claims(), key, algorithms=["Ed25519"])


def _rsa(keys: TokenKeys) -> str:
    key = RSAKey.generate_key(2048)
    return jwt.encode({**HEAD, "alg": "RS256", "kid": keys.newest().kid}, claims(), key, algorithms=["RS256"])


def _with_its_key(keys: TokenKeys) -> str:
    key = OKPKey.generate_key("Ed25519")
    header = {**HEAD, "kid": keys.newest().kid, "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims(), key, algorithms=["Ed25519"])


def _signed_by_hand(keys: TokenKeys, **header: Any) -> str:
    key = keys.newest()
    signed = f"{encoded({**HEAD, 'kid': key.kid, **header})}.{encoded(claims())}"
    private = key.get_op_key("sign")
    assert isinstance(private, Ed25519PrivateKey)
    return f"{signed}.{encoded(private.sign(signed.encode()))}"


def _altered(keys: TokenKeys) -> str:
    head, _, signature = _with_claims()(keys).split(".")
    return f"{head}.{encoded(claims(sub='root'))}.{signature}"


FORGED: dict[str, Callable[[TokenKeys], str]] = {
    "no algorithm": _unsigned,
    "the public key as secret": _signed_with_the_public_key_as_secret,
    "another algorithm": _rsa,
    "another key": _signed_by_another,
    "altered": _altered,
    "no signature": lambda keys: _with_claims()(keys).rpartition(".")[0] + ".",
    "another audience": _with_claims(aud="others"),
    "no audience": _with_claims(aud=None),
    "another issuer": _with_claims(iss="others"),
    "expired": _with_claims(exp=int(time.time()) - 3600),
    "never expires": _with_claims(exp=None),
    "not yet": _with_claims(nbf=int(time.time()) + 3600),
    "nobody": _with_claims(sub=None),
    "another key's name": _with_header(kid="another"),
    "a path as the key's name": _with_header(kid="../../etc/passwd"),
    "no key's name": lambda keys: jwt.encode(HEAD, claims(), keys.newest(), algorithms=["Ed25519"]),
    "no access token": _with_header(typ="JWT"),
    "a key of its own": _with_its_key,
    "a critical header": lambda keys: _signed_by_hand(keys, crit=["speed"], speed="high"),
    "rubbish": lambda _: "a.b.c",
    "two parts": lambda _: "a.b",
    "no text": lambda _: "\xff\xfe",
    "no object": lambda keys: f"{encoded({**HEAD, 'kid': keys.newest().kid})}.{encoded(b'[]')}.AAAA",
    "too long": lambda _: "a" * 10_000,
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_forged_token_is_not_believed(settings: Settings, folder: Path, name: str) -> None:
    with pytest.raises(Unauthenticated):
        await TokenVerifier(settings).caller(FORGED[name](TokenKeys(folder)))


@pytest.mark.parametrize("make", [_with_claims(), _with_header(), _signed_by_hand])
async def test_what_these_are_made_from_is_believed(settings: Settings, folder: Path, make: Callable[[TokenKeys], str]) -> None:
    assert (await TokenVerifier(settings).caller(make(TokenKeys(folder)))).subject == "mallory"


async def test_a_key_that_cannot_be_read_is_passed_over_where_there_are_others(settings: Settings, folder: Path) -> None:
    verifier, token = TokenVerifier(settings), TokenIssuer(settings).issue("maria").text
    await verifier.caller(token)
    (folder / "half.json").write_text('{"kty": "OKP", ')
    await asyncio.sleep(1.05)

    assert (await verifier.caller(token)).subject == "maria"
    assert (await TokenVerifier(settings).caller(token)).subject == "maria"
    retire_token_key(folder, str(TokenKeys(folder).newest().kid))
    with pytest.raises(Misconfigured, match="is no JSON Web Key"):
        await TokenVerifier(settings).caller(token)


def test_a_folder_without_a_key_issues_nothing(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no key to sign"):
        TokenIssuer(Settings(token_keys=tmp_path)).issue("maria")
    with pytest.raises(Misconfigured, match="no tokens are issued"):
        TokenIssuer(Settings()).issue("maria")


def test_what_a_caller_lacks_is_said() -> None:
    maria = Caller("maria", frozenset({"clinician"}), frozenset({"read"}))

    assert Access().why_not(maria) is None
    assert Access.to("clinician", "auditor", scopes=["read"]).why_not(maria) is None
    assert Access.to("auditor").why_not(maria) == "this is for the roles auditor"
    assert Access.to("clinician", scopes=["write"]).why_not(maria) == "this needs the scopes write"


@pytest.mark.parametrize("subject", ["", "x" * 201, "a\nb"])
async def test_a_subject_that_cannot_be_recorded_is_not_believed(settings: Settings, subject: str) -> None:
    with pytest.raises(Unauthenticated):
        await TokenVerifier(settings).caller(TokenIssuer(settings).issue(subject).text)
