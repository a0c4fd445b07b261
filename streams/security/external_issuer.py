"""The keys of an external OpenID Connect issuer, found by discovery (OpenID Connect Discovery 1.0) and kept for a while."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from schemas.errors import Unavailable

_log = structlog.get_logger()

_FETCH_AGAIN_SECONDS, _REFRESH_SECONDS, _BELIEVED_SECONDS = 10, 1800, 3600
_BELIEVED_IN_AN_OUTAGE_SECONDS = 24 * 3600
_MAX_FETCH_SECONDS = 10


class ExternalIssuer:
    """The keys of an issuer, fetched again when a token names an unknown key, and after a while::

        fetched        1800 s                   3600 s
           ├── used ─────┼── used, fetched beside ─┼── fetched first, then used ──▶

    A set that is fetched replaces the one before: a key that the issuer has removed is not used any more. While the issuer is
    out of reach, the keys that are known stay in use, for a day at most. Requests for the same fetch wait for it together.
    """

    def __init__(self, issuer: str) -> None:
        self.name = issuer
        """The issuer's name; as discovery has it, once it was fetched."""
        self._issuer = issuer.rstrip("/")
        self._keys: dict[str, Key] = {}
        self._tried_at = self._fetched_at = -float(_BELIEVED_SECONDS)
        self._failure: str | None = None
        self._fetching: asyncio.Task[None] | None = None

    def is_named(self, issuer: object) -> bool:
        """Returns whether a token names this issuer, with or without a slash at the end: `name` says which of both is right."""
        return isinstance(issuer, str) and issuer.rstrip("/") == self._issuer

    async def key(self, kid: str) -> Key | None:
        """Returns a key by its name; raises `Unavailable` if it is not known and the issuer is out of reach."""
        age = time.monotonic() - self._fetched_at
        is_due = kid not in self._keys or age > _REFRESH_SECONDS
        if is_due and self._fetching is None and time.monotonic() - self._tried_at >= _FETCH_AGAIN_SECONDS:
            self._fetching = asyncio.create_task(self._fetch())
        limit = _BELIEVED_SECONDS if self._failure is None else _BELIEVED_IN_AN_OUTAGE_SECONDS
        is_believed = kid in self._keys and age <= limit
        if not is_believed and self._fetching is not None:
            await asyncio.shield(self._fetching)
        is_too_old = time.monotonic() - self._fetched_at > _BELIEVED_IN_AN_OUTAGE_SECONDS
        if self._failure is not None and (kid not in self._keys or is_too_old):
            raise Unavailable("the key of the token cannot be fetched from its issuer", self._failure)
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            self.name, self._keys = await self._fetched()
            self._failure, self._fetched_at = None, time.monotonic()
        except Unavailable as failure:
            self._failure = failure.detail
            _log.warning("token issuer not reached", issuer=self.name, why=failure.detail)
        finally:
            self._tried_at, self._fetching = time.monotonic(), None

    async def _fetched(self) -> tuple[str, dict[str, Key]]:
        """Returns the issuer's name and keys; raises `Unavailable` for an answer that is no set of keys."""
        try:
            async with asyncio.timeout(_MAX_FETCH_SECONDS), httpx.AsyncClient(timeout=5, follow_redirects=False) as client:
                about = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).raise_for_status().json()
                if not self.is_named(about["issuer"]):
                    raise Unavailable("the issuer of tokens has another name", f"it names itself {about['issuer']}")
                found = (await client.get(about["jwks_uri"])).raise_for_status().json()
            return about["issuer"], dict(self._usable(_listed(found)))
        except (OSError, httpx.HTTPError, httpx.InvalidURL, LookupError, TypeError, AttributeError, ValueError) as error:
            raise Unavailable("the issuer of tokens is out of reach, or its answer is not valid", repr(error)) from error

    def _usable(self, found: list[Any]) -> Iterator[tuple[str, Key]]:
        """Yields the keys that can verify a token, with their names; the others are logged, and spoil nothing."""
        for place, one in enumerate(found):
            try:
                key = _verifying_key(one)
            except (JoseError, LookupError, TypeError, AttributeError, ValueError) as error:
                name = one.get("kid", place) if isinstance(one, Mapping) else place
                _log.warning("token key of the issuer skipped", issuer=self.name, key=name, why=str(error) or repr(error))
            else:
                yield one["kid"], key


def _listed(found: Any) -> list[Any]:
    keys = found["keys"]
    if not isinstance(keys, list):
        raise TypeError("its `keys` are not a list")
    return keys


def _verifying_key(found: Any) -> Key:
    if not isinstance(found, dict) or not isinstance(found.get("kid"), str):
        raise TypeError("it is not a JSON Web Key with a `kid`")
    if found.get("kty") not in ("RSA", "EC", "OKP"):
        raise ValueError("it is not a public key")
    if found.get("use", "sig") != "sig":
        raise ValueError("it is not for signatures")
    return import_key(found)
