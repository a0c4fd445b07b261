"""Signed heads: the position and hash of a log at a time, signed with a key that the database does not hold.

A program that can rewrite the database can rewrite the hash chain too, but not the signed heads (Ed25519, RFC 8032).
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas.errors import Malformed, Misconfigured, NotFound
from schemas.system import ContextName

SEGMENT = 1000
"""The largest distance, in positions, between signed heads: it keeps the proof of an event short."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A log's position and hash at a time, signed."""

    context: ContextName
    position: int
    hash: bytes
    timeline: int
    """The timeline of the log to which the event at the position belongs: no clock says which heads are of lost events."""
    signed_at: datetime
    key: str
    """The name of the signing key: the SHA-256 of the public key, in hexadecimal."""
    signature: bytes

    @property
    def message(self) -> bytes:
        """The bytes that the signature covers."""
        return head_message(self.context, self.position, self.hash, self.timeline, self.signed_at)

    def as_json(self) -> dict[str, Any]:
        """Returns the head as it is on the topic and in proofs; bytes are in hexadecimal."""
        return {
            "context": str(self.context),
            "position": self.position,
            "hash": self.hash.hex(),
            "timeline": self.timeline,
            "signed_at": _stamp(self.signed_at),
            "key": self.key,
            "signature": self.signature.hex(),
        }

    @classmethod
    def parse(cls, text: bytes) -> "SignedHead":
        """Returns the head in the JSON of `as_json`; raises `Malformed`."""
        try:
            fields = orjson.loads(text)
            return cls(
                ContextName.parse(str(fields["context"])),
                int(fields["position"]),
                bytes.fromhex(fields["hash"]),
                int(fields["timeline"]),
                _moment(fields["signed_at"]),
                str(fields["key"]),
                bytes.fromhex(fields["signature"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, NotFound) as error:
            raise Malformed(f"the text is not a signed head: {error!r}") from error


class Signer:
    """Signs heads with the private key in a file."""

    def __init__(self, path: Path) -> None:
        """Raises `Misconfigured` unless the file holds an Ed25519 key in PEM."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise Misconfigured(
                f"{path} holds no private key to sign with: {error}; `caudal signing-key DIR` makes one"
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured(f"the key in {path} is not an Ed25519 key")
        self._key = key
        self.public = key.public_key()

    def sign(self, context: ContextName, position: int, digest: bytes, timeline: int) -> SignedHead:
        """Returns the head of a log at a position of a timeline, signed now."""
        at = datetime.now(UTC)
        signature = self._key.sign(head_message(context, position, digest, timeline, at))
        return SignedHead(context, position, digest, timeline, at, key_name(self.public), signature)


class Verifier:
    """Verifies signatures with the public keys that are trusted."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = keys

    @classmethod
    def of(cls, *keys: Ed25519PublicKey) -> "Verifier":
        """Returns a verifier that trusts these keys."""
        return cls({key_name(key): key for key in keys})

    def why_not(self, head: SignedHead) -> str | None:
        """Returns why a signed head is not valid, or ``None`` if it is."""
        key = self._keys.get(head.key)
        if key is None:
            return f"its key is not trusted: {head.key}"
        try:
            key.verify(head.signature, head.message)
        except InvalidSignature:
            return "its signature does not match its content"
        return None


def head_message(context: ContextName, position: int, digest: bytes, timeline: int, at: datetime) -> bytes:
    """Returns the bytes that are signed: six lines."""
    return f"caudal signed head 1\n{context}\n{position}\n{digest.hex()}\n{timeline}\n{_stamp(at)}".encode()


def key_name(key: Ed25519PublicKey) -> str:
    """Returns the name of a key: the SHA-256 of its 32 bytes, in hexadecimal."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Returns the public key in a PEM file; raises `Misconfigured`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} holds no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"the key in {path} is not an Ed25519 key")
    return key


def make_keys(private: Path, public: Path) -> None:
    """Writes a new pair of keys as PEM files, the private one readable only by its owner.

    Raises `Misconfigured` if either file exists.
    """
    if public.exists():
        raise Misconfigured(f"no key was written: {public} exists already")
    key = Ed25519PrivateKey.generate()
    try:
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Misconfigured(f"no key was written to {private}: {error.strerror}") from error
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_public_key(key.public_key(), public)


def complete_keys(private: Path, public: Path) -> None:
    """Makes a pair of keys unless it is there; writes the public half if an earlier run ended between the two files."""
    if not private.exists():
        make_keys(private, public)
    elif not public.exists():
        write_public_key(Signer(private).public, public)


def write_public_key(key: Ed25519PublicKey, path: Path) -> None:
    """Writes a public key as a PEM file."""
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("its time has no zone")
    return at.astimezone(UTC)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
