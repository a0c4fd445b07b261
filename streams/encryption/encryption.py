"""Encryption of texts and files under a data subject's key, and of such keys under a master key: AES-256-GCM (SP 800-38D)."""

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
    """Returns a text encrypted under its subject's key.

    The nonce is derived from key, ``purpose`` and text: a repetition has the same result, and no nonce serves two texts.
    """
    nonce = hmac.digest(key, f"{purpose}\n{text}".encode(), "sha256")[:_NONCE_BYTES]
    ciphertext = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound(subject))
    return f"{MARK}{subject}:{base64.urlsafe_b64encode(ciphertext).decode()}"


def decrypt(encrypted: str, key: bytes) -> str | None:
    """Returns the plain text, or ``None`` if ``encrypted`` was not encrypted under this key for its subject."""
    subject = subject_of(encrypted)
    if not is_encrypted(encrypted):
        return None
    try:
        ciphertext = base64.urlsafe_b64decode(encrypted.removeprefix(f"{MARK}{subject}:"))
        return AESGCM(key).decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], _bound(subject)).decode()
    except (InvalidTag, ValueError):
        return None


def encrypt_file(content: bytes, key: bytes, subject: str) -> bytes:
    """Returns a file encrypted under its subject's key, under a random nonce: two results of one file differ."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, _bound_file(subject))


def decrypt_file(encrypted: bytes, key: bytes, subject: str) -> bytes | None:
    """Returns the plain file, or ``None`` if it was not encrypted under this key for this subject."""
    try:
        return AESGCM(key).decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], _bound_file(subject))
    except (InvalidTag, ValueError):
        return None


def derived(key: bytes, purpose: str) -> bytes:
    """Returns a subject's secret for one purpose: always the same, and its key cannot be computed from it."""
    return hmac.digest(key, f"caudal secret {purpose}".encode(), "sha256")


class MasterKeys:
    """The keys that wrap the subjects' keys: the newest wraps, every one unwraps."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """``keys`` by name, the newest first; raises `Misconfigured` if there are none."""
        if not keys:
            raise Misconfigured(
                "there is no master key for personal data: `caudal master-keys add` makes one for CAUDAL_MASTER_KEY_FILE"
            )
        self._keys = dict(keys)
        self.newest = next(iter(self._keys))

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """Returns the keys in lines of a name and 32 bytes in base64, the newest first; raises `Misconfigured`."""
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
        """Returns a subject's key, wrapped with the newest master key."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._keys[self.newest]).encrypt(nonce, key, _bound(subject))

    def unwrap(self, wrapped: bytes, subject: str, master: str) -> bytes:
        """Returns a subject's key; raises `Misconfigured` if its master key is missing or is another one."""
        if master not in self._keys:
            raise Misconfigured(f"the master key {master} is missing: add it to the master keys again")
        try:
            return AESGCM(self._keys[master]).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _bound(subject))
        except InvalidTag:
            raise Misconfigured(f"the master key {master} does not unwrap a subject's key: another key has its name") from None


def add_master_key(path: Path, name: str) -> None:
    """Adds a new key as the first line of a file of master keys, and creates the file, readable only by its owner.

    Raises `Misconfigured` if the file has a key of this name.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # of two processes that add keys at once, one would lose its key
        older = path.read_text() if path.exists() else ""
        if any(line.split()[0] == name for line in older.splitlines() if line.strip()):
            raise Misconfigured(f"{path} has a master key {name} already: choose another name")
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


def _bound_file(subject: str) -> bytes:
    return f"caudal file of subject {subject}".encode()


def _bound(subject: str) -> bytes:
    return f"caudal subject {subject}".encode()
