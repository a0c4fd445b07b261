"""Access tokens: JSON Web Tokens (RFC 7519, RFC 9068) of this deployment and of an external issuer, and their callers."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key
from pydantic import TypeAdapter, ValidationError
from uuid_utils import uuid4

from schemas.access import Caller
from schemas.errors import Misconfigured, Unauthenticated
from schemas.values.text import Identifier
from streams.security.external_issuer import ExternalIssuer
from streams.security.token_keys import CURVE, TokenKeys
from streams.settings import Settings

_OURS = [CURVE]
"""The only algorithm of this deployment's tokens (RFC 9864)."""
_TYPE = "at+jwt"
"""The type of this deployment's access tokens (RFC 9068)."""
_LEEWAY_SECONDS = 30
_MAX_BYTES = 8192
_SUBJECT: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was issued."""

    text: str
    expires_in: int
    """Seconds."""


class TokenIssuer:
    """Issues this deployment's tokens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.token_keys is None else TokenKeys(settings.token_keys)

    def issue(self, subject: str, roles: Iterable[str] = (), scopes: Iterable[str] = ()) -> Token:
        """Returns a token for a subject; raises `Misconfigured` if there is no key to sign with."""
        if self._keys is None:
            raise Misconfigured(
                "no tokens are issued: set CAUDAL_TOKEN_KEYS to a folder of keys, `caudal token-keys add` makes one"
            )
        key, now, seconds = self._keys.newest(), int(time.time()), self._settings.token_lifetime_seconds
        header = {"alg": CURVE, "kid": key.kid, "typ": _TYPE}
        claims = {
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "jti": str(uuid4()),
            "roles": sorted(roles),
            "scope": " ".join(sorted(scopes)),
        }
        return Token(jwt.encode(header, claims, key, algorithms=_OURS), seconds)

    def public_keys(self) -> dict[str, object]:
        """Returns the keys that verify this deployment's tokens, as a JSON Web Key Set."""
        return {"keys": []} if self._keys is None else self._keys.public()


class TokenVerifier:
    """Verifies tokens and returns their callers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.token_keys is None else TokenKeys(settings.token_keys)
        self._external = None if settings.oidc_issuer is None else ExternalIssuer(settings.oidc_issuer)

    async def caller(self, token: str) -> Caller:
        """Returns the caller of a token; raises `Unauthenticated`, or `Unavailable` if the external issuer is out of reach."""
        if len(token) > _MAX_BYTES:
            raise Unauthenticated(f"the token has more than {_MAX_BYTES} characters")
        try:
            trust = await self._trust_for(token)
            if trust.key is None:
                raise Unauthenticated("the token's key is not known")
            claims = jwt.decode(token, trust.key, algorithms=trust.algorithms).claims
            self._registry(trust.issuer).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unauthenticated(f"the token is not valid: {_why(error)}") from error
        roles = frozenset(_texts(_claim(claims, trust.roles_claim)))
        return Caller(_subject(claims), roles, frozenset(_scopes(claims)), float(claims["exp"]) + _LEEWAY_SECONDS)

    async def _trust_for(self, token: str) -> "_Trust":
        """Returns the key and the rules of the issuer that a token names, which is not verified yet."""
        header, unverified = _unverified(token)
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Unauthenticated("the token names no key")
        settings = self._settings
        if self._external is not None and self._external.is_named(unverified.get("iss")):
            key = await self._external.key(kid)
            return _Trust(key, settings.oidc_algorithms, self._external.name, settings.oidc_roles_claim)
        if header.get("typ") != _TYPE:
            raise Unauthenticated("the token is not an access token: its `typ` is not `at+jwt`")
        return _Trust(None if self._keys is None else self._keys.named(kid), _OURS, settings.token_issuer, "roles")

    def _registry(self, issuer: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._settings.token_audience},
            exp={"essential": True},
            sub={"essential": True},
        )


class _Trust(NamedTuple):
    """The keys and rules that verify the tokens of one issuer."""

    key: Key | None
    algorithms: list[str]
    issuer: str
    roles_claim: str


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Returns a token's header and claims without verifying them, to find its key and for no other purpose."""
    parts = jws.extract_compact(token.encode("ascii"))
    claims = orjson.loads(parts.payload)
    if not isinstance(claims, dict):
        raise TypeError("its claims are not an object")
    return parts.headers(), claims


def _subject(claims: Mapping[str, Any]) -> str:
    try:
        return _SUBJECT.validate_python(claims["sub"])
    except ValidationError as error:
        raise Unauthenticated(
            "the token's `sub` cannot be recorded: it must be a text of 1 to 200 characters without control characters"
        ) from error


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Returns a claim by its name, which may contain dots, or by the path to it in nested objects; ``None`` without one."""
    if path in claims:
        return claims[path]
    first, _, rest = path.partition(".")
    inner = claims.get(first)
    return _claim(inner, rest) if rest and isinstance(inner, Mapping) else None


def _texts(value: Any) -> Iterator[str]:
    """Yields a text, or the texts of a list. Others name this claim as they like: what is not a text is ignored."""
    yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def _scopes(claims: Mapping[str, Any]) -> Iterator[str]:
    """Yields the scopes of ``scope`` (RFC 8693) and of ``scp``, as other issuers name it: texts of words, or lists of these."""
    for name in ("scope", "scp"):
        for text in _texts(claims.get(name)):
            yield from text.split()


def _why(error: Exception) -> str:
    return str(error).rstrip(": ") if isinstance(error, JoseError) else "it is not a JSON Web Token"
