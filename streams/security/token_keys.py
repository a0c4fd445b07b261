"""The keys of our own tokens: Ed25519 as JSON Web Keys (RFC 8037), a file each, the newest of them signs.

A further key is added first, and signs from then on; the one before is retired when its last token has expired.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from schemas.errors import Misconfigured

CURVE: Final = "Ed25519"
_log = structlog.get_logger()

_LOOK_AGAIN_SECONDS = 1.0


class TokenKeys:
    """The keys in a folder, read again where the last look is older than a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._looked_at = 0.0
        self._keys: dict[str, OKPKey] = {}

    def newest(self) -> OKPKey:
        """The key that signs; raises `Misconfigured` where there is none."""
        self._look()
        private = [kid for kid, key in self._keys.items() if key.is_private]
        if not private:
            raise Misconfigured(f"there is no key to sign tokens with in {self._folder}; `caudal token-keys add` makes one")
        return self._keys[max(private)]

    def named(self, kid: str) -> OKPKey | None:
        """The key of a name, where there is one."""
        self._look()
        return self._keys.get(kid)

    def public(self) -> dict[str, object]:
        """Every key's public half, as a JSON Web Key Set."""
        self._look()
        return dict(KeySet(list(self._keys.values())).as_dict(private=False)) if self._keys else {"keys": []}

    def _look(self) -> None:
        if self._keys and time.monotonic() - self._looked_at < _LOOK_AGAIN_SECONDS:
            return
        self._looked_at = time.monotonic()
        found: dict[str, OKPKey] = {}
        broken: Misconfigured | None = None
        for path in sorted(self._folder.glob("*.json")):
            try:
                found[path.stem] = _read(path)
            except Misconfigured as error:
                # It may be half written, or just gone: whoever puts it there sees to it.
                _log.warning("a key of tokens cannot be read", why=error.detail)
                broken = error
                if path.stem in self._keys and path.exists():
                    found[path.stem] = self._keys[path.stem]
        self._keys = found
        if broken is not None and not found:
            raise broken


def add_token_key(folder: Path) -> str:
    """Makes a key that signs from now on, readable by its owner alone; returns its name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kid = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
    key = OKPKey.generate_key(CURVE, {"kid": kid, "use": "sig", "alg": CURVE})
    fresh = folder / f".{kid}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)))
    fresh.replace(folder / f"{kid}.json")
    return kid


def retire_token_key(folder: Path, kid: str) -> None:
    """Removes a key: tokens that it signed are not believed any more. Raises `Misconfigured` for one that is not there."""
    try:
        (folder / f"{kid}.json").unlink()
    except OSError as error:
        raise Misconfigured(f"there is no key {kid} in {folder}") from error


def _read(path: Path) -> OKPKey:
    try:
        key = OKPKey.import_key(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise Misconfigured(f"{path} is no JSON Web Key: {error}") from error
    if key.curve_name != CURVE or key.kid != path.stem:
        raise Misconfigured(f"{path} is no {CURVE} key of its file's name")
    return key
