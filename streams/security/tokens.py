"""Access tokens: JSON Web Tokens (RFC 7519, RFC 9068), our own and an outside issuer's, and who they say is calling."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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
"""The one algorithm of our own tokens (RFC 9864)."""
_TYPE = "at+jwt"
"""What our access tokens call themselves (RFC 9068)."""
_LEEWAY_SECONDS = 30
_ASK_AGAIN_SECONDS, _BELIEVED_SECONDS = 10, 3600
_LONGEST_ASKING_SECONDS = 10
_LONGEST = 8192
_SUBJECT: TypeAdapter[str] = TypeAdapter(Identifier)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was issued."""

    text: str
    expires_in: int


class TokenIssuer:
    """Issues our own tokens."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.token_keys is None else TokenKeys(settings.token_keys)

    def issue(self, subject: str, roles: Iterable[str] = (), scopes: Iterable[str] = ()) -> Token:
        """A token for somebody; raises `Misconfigured` where there is no key to sign with."""
        if self._keys is None:
            raise Misconfigured("no tokens are issued here: CAUDAL_TOKEN_KEYS names no folder")
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
        """The keys by which our tokens are verified, as a JSON Web Key Set."""
        return {"keys": []} if self._keys is None else self._keys.public()


class TokenVerifier:
    """Says who is calling, or that a token cannot be believed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = None if settings.token_keys is None else TokenKeys(settings.token_keys)
        self._outside = None if settings.oidc_issuer is None else _OutsideIssuer(settings.oidc_issuer)

    async def caller(self, token: str) -> Caller:
        """Whom a token is for; raises `Unauthenticated`, and `Unavailable` while the outside issuer is out of reach."""
        if len(token) > _LONGEST:
            raise Unauthenticated("the token is too long")
        try:
            header, said = _unverified(token)
            kid = header.get("kid")
            if not isinstance(kid, str):
                raise Unauthenticated("the token names no key")
            if self._outside is not None and said.get("iss") == self._outside.name:
                key = await self._outside.key(kid)
                algorithms, issuer, roles = (
                    self._settings.oidc_algorithms,
                    self._outside.name,
                    self._settings.oidc_roles_claim,
                )
            else:
                key = None if self._keys is None else self._keys.named(kid)
                algorithms, issuer, roles = _OURS, self._settings.token_issuer, "roles"
                if header.get("typ") != _TYPE:
                    raise Unauthenticated("the token is no access token")
            if key is None:
                raise Unauthenticated("the token's key is not one of ours")
            claims = jwt.decode(token, key, algorithms=algorithms).claims
            self._registry(issuer).validate(claims)
            subject = _SUBJECT.validate_python(claims["sub"])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Unauthenticated(f"the token cannot be believed: {_why(error)}") from error
        scopes = frozenset(str(claims.get("scope", "")).split())
        return Caller(subject, _texts(claims.get(roles)), scopes, float(claims["exp"]) + _LEEWAY_SECONDS)

    def _registry(self, issuer: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": self._settings.token_audience},
            exp={"essential": True},
            sub={"essential": True},
        )


class _OutsideIssuer:
    """The keys of an OpenID Connect issuer, asked for again when one is named that is not known."""

    def __init__(self, issuer: str) -> None:
        self.name, self._issuer = issuer, issuer.rstrip("/")
        self._keys: dict[str, Key] = {}
        self._asked_at = self._fetched_at = -float(_BELIEVED_SECONDS)
        self._failure: str | None = None
        self._asking: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> Key | None:
        """A key by its name; raises `Unavailable` where it is not known and the issuer cannot be asked."""
        is_stale = kid not in self._keys or time.monotonic() - self._fetched_at > _BELIEVED_SECONDS
        if is_stale and self._asking is None and time.monotonic() - self._asked_at >= _ASK_AGAIN_SECONDS:
            self._asking = asyncio.create_task(self._ask())
        if kid not in self._keys and self._asking is not None:  # for a key that is known nobody waits
            await asyncio.shield(self._asking)
        if kid not in self._keys and self._failure is not None:
            raise Unavailable("the outside issuer of tokens cannot be asked for this token's key", self._failure)
        return self._keys.get(kid)

    async def _ask(self) -> None:
        try:
            self._keys, self._failure, self._fetched_at = await self._fetched(), None, time.monotonic()
        except Unavailable as failure:
            self._failure = failure.detail
            _log.warning("an outside issuer of tokens cannot be asked", why=failure.detail)
        finally:
            self._asked_at, self._asking = time.monotonic(), None

    async def _fetched(self) -> dict[str, Key]:
        try:
            async with asyncio.timeout(_LONGEST_ASKING_SECONDS), httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
                about = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).raise_for_status().json()
                if about["issuer"].rstrip("/") != self._issuer:
                    raise Unavailable("the outside issuer of tokens is another one", f"it calls itself {about['issuer']}")
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
            raise Unavailable("the outside issuer of tokens is out of reach, or not to be understood", repr(error)) from error


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What a token says of itself: used to find the key, and for nothing else."""
    parts = jws.extract_compact(token.encode("ascii"))
    claims = orjson.loads(parts.payload)
    if not isinstance(claims, dict):
        raise TypeError("its claims are no object")
    return parts.headers(), claims


def _texts(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()


def _why(error: Exception) -> str:
    return str(error).rstrip(": ") if isinstance(error, JoseError) else "it is no token"
