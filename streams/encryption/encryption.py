"""Encrypts: texts under a data subject's key, and those keys under a master key. AES-256-GCM throughout (NIST SP 800-38D)."""

import base64
import fcntl
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import Misconfigured
from schemas.sensitive import MARK, is_encrypted, subject_of

KEY_BYTES = 32
_NONCE_BYTES = 12


def encrypt(text: str, key: bytes, subject: str, purpose: str) -> str:
    """A text as only its subject's key opens it.

    The nonce is derived from key, ``purpose`` and text: a repeat is encrypted alike, and no nonce is used for two texts.
    """
    nonce = hmac.digest(key, f"{purpose}\n{text}".encode(), "sha256")[:_NONCE_BYTES]
    closed = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound(subject))
    return f"{MARK}{subject}:{base64.urlsafe_b64encode(closed).decode()}"


def decrypt(encrypted: str, key: bytes) -> str | None:
    """What was encrypted, or ``None`` where this is no encrypt of that key and subject."""
    subject = subject_of(encrypted)
    if not is_encrypted(encrypted):
        return None
    try:
        closed = base64.urlsafe_b64decode(encrypted.removeprefix(f"{MARK}{subject}:"))
        return AESGCM(key).decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], _bound(subject)).decode()
    except (InvalidTag, ValueError):
        return None


class MasterKeys:
    """The keys that wrap the subjects' keys: the newest wraps, each of them unwraps."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys`` by name, the newest first."""
        if not keys:
            raise Misconfigured("there is no master key: nothing sensitive can be kept; CAUDAL_MASTER_KEY_FILE names one")
        self._keys = dict(keys)
        self.newest = next(iter(self._keys))

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """From lines of a name and 32 bytes in base64, the newest first; raises `Misconfigured`."""
        keys = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            try:
                name, encoded = line.split()
                keys[name] = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise Misconfigured("a line of the master keys is not a name and a key in base64") from None
            if len(keys[name]) != KEY_BYTES:
                raise Misconfigured(f"the master key {name} has {len(keys[name])} bytes, not {KEY_BYTES}")
        return cls(keys)

    def wrap(self, key: bytes, subject: str) -> bytes:
        """A subject's key under the newest master key."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._keys[self.newest]).encrypt(nonce, key, _bound(subject))

    def unwrap(self, wrapped: bytes, subject: str, master: str) -> bytes:
        """A subject's key; raises `Misconfigured` where its master key is not there, or is another one."""
        if master not in self._keys:
            raise Misconfigured(f"the master key {master} is not there")
        try:
            return AESGCM(self._keys[master]).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _bound(subject))
        except InvalidTag:
            raise Misconfigured(f"a subject's key does not open with the master key {master}") from None


def add_master_key(path: Path, name: str) -> None:
    """Puts a new key on top of a file of master keys, which is made, for its owner alone, where it is not there."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two who add keys at once would lose one
        older = path.read_text() if path.exists() else ""
        if any(line.split()[0] == name for line in older.splitlines() if line.strip()):
            raise Misconfigured(f"there is a master key {name} in {path} already")
        fresh = path.with_name(f".{path.name}.new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{name} {base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n{older}")
            file.flush()
            os.fsync(handle)
        fresh.replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)


def _bound(subject: str) -> bytes:
    return f"caudal subject {subject}".encode()
