"""Access tokens: JSON Web Tokens (RFC 7519, RFC 9068) of this deployment and of an external issuer, and their callers."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
import orjson
import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet
from pydantic import TypeAdapter
from uuid_utils import uuid4

from schemas.access import Caller
from schemas.errors import Misconfigured, Unauthenticated, Unavailable
from schemas.text import Identifier
from streams.security.token_keys import CURVE, TokenKeys
from streams.settings import Settings

_log = structlog.get_logger()

_OURS = [CURVE]
"""The only algorithm of this deployment's tokens (RFC 9864)."""
_TYPE = "at+jwt"
"""The type of this deployment's access tokens (RFC 9068)."""
_LEEWAY_SECONDS = 30
_FETCH_AGAIN_SECONDS, _REFRESH_SECONDS = 10, 3600
_MAX_FETCH_SECONDS = 10
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
        self._external = None if settings.oidc_issuer is None else _ExternalIssuer(settings.oidc_issuer)

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
            subject = _SUBJECT.validate_python(claims["sub"])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unauthenticated(f"the token is not valid: {_why(error)}") from error
        scopes = frozenset(str(claims.get("scope", "")).split())
        return Caller(subject, _texts(claims.get(trust.roles_claim)), scopes, float(claims["exp"]) + _LEEWAY_SECONDS)

    async def _trust_for(self, token: str) -> "_Trust":
        """Returns the key and the rules of the issuer that a token names, which is not verified yet."""
        header, unverified = _unverified(token)
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Unauthenticated("the token names no key")
        settings = self._settings
        if self._external is not None and unverified.get("iss") == self._external.name:
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


class _ExternalIssuer:
    """The keys of an OpenID Connect issuer, fetched again when a token names an unknown key.

    Requests for the same fetch wait for it together; those with a known key never wait.
    """

    def __init__(self, issuer: str) -> None:
        self.name, self._issuer = issuer, issuer.rstrip("/")
        self._keys: dict[str, Key] = {}
        self._tried_at = self._fetched_at = -float(_REFRESH_SECONDS)
        self._failure: str | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> Key | None:
        """Returns a key by its name; raises `Unavailable` if it is not known and the issuer is out of reach."""
        is_stale = kid not in self._keys or time.monotonic() - self._fetched_at > _REFRESH_SECONDS
        if is_stale and self._fetching is None and time.monotonic() - self._tried_at >= _FETCH_AGAIN_SECONDS:
            self._fetching = asyncio.create_task(self._fetch())
        if kid not in self._keys and self._fetching is not None:  # requests with a known key do not wait
            await asyncio.shield(self._fetching)
        if kid not in self._keys and self._failure is not None:
            raise Unavailable("the key of the token cannot be fetched from its issuer", self._failure)
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            self._keys, self._failure, self._fetched_at = await self._fetched_keys(), None, time.monotonic()
        except Unavailable as failure:
            self._failure = failure.detail
            _log.warning("token issuer not reached", issuer=self.name, why=failure.detail)
        finally:
            self._tried_at, self._fetching = time.monotonic(), None

    async def _fetched_keys(self) -> dict[str, Key]:
        try:
            async with asyncio.timeout(_MAX_FETCH_SECONDS), httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
                about = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).raise_for_status().json()
                if about["issuer"].rstrip("/") != self._issuer:
                    raise Unavailable("the issuer of tokens has another name", f"it names itself {about['issuer']}")
                found = (await client.get(about["jwks_uri"])).raise_for_status().json()
            return {key.kid: key for key in KeySet.import_key_set(found) if key.kid is not None}
        except (
            OSError,
            httpx.HTTPError,
            httpx.InvalidURL,
            JoseError,
            LookupError,
            TypeError,
            AttributeError,
            ValueError,
        ) as error:
            raise Unavailable("the issuer of tokens is out of reach, or its answer is not valid", repr(error)) from error


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Returns a token's header and claims without verifying them, to find its key and for no other purpose."""
    parts = jws.extract_compact(token.encode("ascii"))
    claims = orjson.loads(parts.payload)
    if not isinstance(claims, dict):
        raise TypeError("its claims are not an object")
    return parts.headers(), claims


def _texts(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()


def _why(error: Exception) -> str:
    return str(error).rstrip(": ") if isinstance(error, JoseError) else "it is not a JSON Web Token"
