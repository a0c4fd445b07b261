"""Tokens that are forged in every known way, and what they are made from."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from streams.security.token_keys import TokenKeys

Claims = dict[str, Any]
HEAD = {"alg": "Ed25519", "typ": "at+jwt"}


def claims(**changed: Any) -> Claims:
    now = int(time.time())
    made = {"iss": "caudal", "aud": "caudal", "sub": "mallory", "iat": now, "exp": now + 60, "roles": ["auditor"], **changed}
    return {name: value for name, value in made.items() if value is not None}


def encoded(part: Mapping[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else orjson.dumps(part)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unsigned(keys: TokenKeys) -> str:
    return f"{encoded({**HEAD, 'alg': 'none', 'kid': keys.newest().kid})}.{encoded(claims())}."


def with_header(**header: Any) -> Callable[[TokenKeys], str]:
    def make(keys: TokenKeys) -> str:
        key = keys.newest()
        return jwt.encode({**HEAD, "kid": key.kid, **header}, claims(), key, algorithms=["Ed25519"])

    return make


def with_claims(**changed: Any) -> Callable[[TokenKeys], str]:
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


def signed_by_hand(keys: TokenKeys, **header: Any) -> str:
    key = keys.newest()
    signed = f"{encoded({**HEAD, 'kid': key.kid, **header})}.{encoded(claims())}"
    private = key.get_op_key("sign")
    assert isinstance(private, Ed25519PrivateKey)
    return f"{signed}.{encoded(private.sign(signed.encode()))}"


def _altered(keys: TokenKeys) -> str:
    head, _, signature = with_claims()(keys).split(".")
    return f"{head}.{encoded(claims(sub='root'))}.{signature}"


FORGED: dict[str, Callable[[TokenKeys], str]] = {
    "no algorithm": _unsigned,
    "the public key as secret": _signed_with_the_public_key_as_secret,
    "another algorithm": _rsa,
    "another key": _signed_by_another,
    "altered": _altered,
    "no signature": lambda keys: with_claims()(keys).rpartition(".")[0] + ".",
    "another audience": with_claims(aud="others"),
    "no audience": with_claims(aud=None),
    "another issuer": with_claims(iss="others"),
    "expired": with_claims(exp=int(time.time()) - 3600),
    "never expires": with_claims(exp=None),
    "not yet": with_claims(nbf=int(time.time()) + 3600),
    "nobody": with_claims(sub=None),
    "another key's name": with_header(kid="another"),
    "a path as the key's name": with_header(kid="../../etc/passwd"),
    "no key's name": lambda keys: jwt.encode(HEAD, claims(), keys.newest(), algorithms=["Ed25519"]),
    "no access token": with_header(typ="JWT"),
    "a key of its own": _with_its_key,
    "a critical header": lambda keys: signed_by_hand(keys, crit=["speed"], speed="high"),
    "rubbish": lambda _: "a.b.c",
    "two parts": lambda _: "a.b",
    "no text": lambda _: "\xff\xfe",
    "no object": lambda keys: f"{encoded({**HEAD, 'kid': keys.newest().kid})}.{encoded(b'[]')}.AAAA",
    "too long": lambda _: "a" * 10_000,
}
