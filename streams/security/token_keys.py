"""The keys of this deployment's tokens: Ed25519 as JSON Web Keys (RFC 8037), one file each. The newest key signs.

To replace a key, add a new one, which signs from then on, and retire the old one when its last token has expired.
"""

import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
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

_READ_AGAIN_SECONDS = 1.0
_TIME = "%Y%m%dT%H%M%S"
"""The beginning of a key's name: the newest key has the greatest name."""


class TokenKeys:
    """The keys in a folder, which is read again after a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_at = 0.0
        self._keys: dict[str, OKPKey] = {}

    def newest(self) -> OKPKey:
        """Returns the key that signs; raises `Misconfigured` if there is none."""
        self._read()
        private = [kid for kid, key in self._keys.items() if key.is_private]
        if not private:
            raise Misconfigured(f"{self._folder} holds no key to sign tokens with: `caudal token-keys add` makes one")
        return self._keys[max(private)]

    def named(self, kid: str) -> OKPKey | None:
        """Returns the key with a name, or ``None`` if there is none."""
        self._read()
        return self._keys.get(kid)

    def public(self) -> dict[str, object]:
        """Returns the public part of every key, as a JSON Web Key Set."""
        self._read()
        return dict(KeySet(list(self._keys.values())).as_dict(private=False)) if self._keys else {"keys": []}

    def _read(self) -> None:
        if self._keys and time.monotonic() - self._read_at < _READ_AGAIN_SECONDS:
            return
        self._read_at = time.monotonic()
        found: dict[str, OKPKey] = {}
        broken: Misconfigured | None = None
        for path in sorted(self._folder.glob("*.json")):
            try:
                found[path.stem] = _key_in(path)
            except Misconfigured as error:
                # The file may be half written, or was just removed: the next reading shows.
                _log.warning("token key not read", why=error.detail)
                broken = error
                if path.stem in self._keys and path.exists():
                    found[path.stem] = self._keys[path.stem]
        self._keys = found
        if broken is not None and not found:
            raise broken


def add_token_key(folder: Path) -> str:
    """Creates a key that signs from now on, readable only by its owner; returns its name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kid = f"{_later_than_all_in(folder):{_TIME}}-{uuid4().hex[:8]}"
    key = OKPKey.generate_key(CURVE, {"kid": kid, "use": "sig", "alg": CURVE})
    fresh = folder / f".{kid}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(key.as_dict(private=True)))
    fresh.replace(folder / f"{kid}.json")
    return kid


def _later_than_all_in(folder: Path) -> datetime:
    """Returns the time of a new key's name. The clock may have been ahead when another key was added."""
    times = [datetime.now(UTC)]
    for path in folder.glob("*.json"):
        with suppress(ValueError):
            times.append(datetime.strptime(path.stem.partition("-")[0], _TIME).replace(tzinfo=UTC) + timedelta(seconds=1))
    return max(times)


def key_file(folder: Path, kid: str) -> Path:
    """Returns the file of a key; raises `Misconfigured` if there is no such key."""
    if not (file := folder / f"{kid}.json").is_file():
        raise Misconfigured(f"{folder} holds no key {kid}")
    return file


def retire_token_key(folder: Path, kid: str) -> None:
    """Removes a key: tokens that it signed become invalid. Raises `Misconfigured` if there is no such key."""
    try:
        key_file(folder, kid).unlink()
    except OSError as error:
        raise Misconfigured(f"the key {kid} in {folder} cannot be removed: {error.strerror}") from error


def _key_in(path: Path) -> OKPKey:
    try:
        key = OKPKey.import_key(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise Misconfigured(f"{path} is not a JSON Web Key: {error}") from error
    if key.curve_name != CURVE or key.kid != path.stem:
        raise Misconfigured(f"{path} is not an {CURVE} key whose `kid` is the file's name")
    return key
