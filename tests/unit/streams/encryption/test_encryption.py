"""Encryption: a text is decrypted only with its subject's key."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from streams.encryption.encryption import (
    MasterKeys,
    add_master_key,
    decrypt,
    decrypt_file,
    derived,
    encrypt,
    encrypt_file,
)

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_text_is_decrypted_with_its_key() -> None:
    encrypted = encrypt("diagnosis: ñandú", KEY, "patient-1", "command/result")

    assert "diagnosis" not in encrypted
    assert decrypt(encrypted, KEY) == "diagnosis: ñandú"


@pytest.mark.parametrize("encrypted", ["encrypted:1:patient-1:AAAA", "encrypted:1:patient-1:é", "encrypted:1:", "plain", ""])
def test_a_text_that_was_not_encrypted_is_not_decrypted(encrypted: str) -> None:
    assert decrypt(encrypted, KEY) is None


def test_a_text_is_not_decrypted_with_another_key_or_for_another_subject() -> None:
    encrypted = encrypt("text", KEY, "patient-1", "p")

    assert decrypt(encrypted, OTHER) is None
    assert decrypt(encrypted.replace("patient-1", "patient-2"), KEY) is None
    assert decrypt(encrypted[:-4] + "AAA=", KEY) is None


def test_a_file_is_decrypted_with_its_key_for_its_subject_alone() -> None:
    encrypted = encrypt_file(b"DICM of Ana", KEY, "image-1")

    assert b"Ana" not in encrypted
    assert encrypted != encrypt_file(b"DICM of Ana", KEY, "image-1")
    assert decrypt_file(encrypted, KEY, "image-1") == b"DICM of Ana"
    assert decrypt_file(encrypted, OTHER, "image-1") is None
    assert decrypt_file(encrypted, KEY, "image-2") is None
    assert decrypt_file(encrypted[:-1], KEY, "image-1") is None
    assert decrypt_file(b"", KEY, "image-1") is None


def test_a_secret_belongs_to_one_key_and_one_purpose() -> None:
    assert derived(KEY, "uids") == derived(KEY, "uids")
    assert len({derived(KEY, "uids"), derived(OTHER, "uids"), derived(KEY, "other")}) == 3


def test_equal_texts_are_encrypted_alike_for_one_purpose_only() -> None:
    assert encrypt("text", KEY, "s", "one") == encrypt("text", KEY, "s", "one")
    assert encrypt("text", KEY, "s", "one") != encrypt("text", KEY, "s", "two")
    assert encrypt("text", KEY, "s", "one")[:40] != encrypt("texu", KEY, "s", "one")[:40]


def test_the_newest_master_key_wraps_and_each_unwraps(tmp_path: Path) -> None:
    file = tmp_path / "master.keys"
    add_master_key(file, "first")
    first = MasterKeys.parse(file.read_text())
    wrapped = first.wrap(KEY, "s")
    add_master_key(file, "second")
    both = MasterKeys.parse(file.read_text())

    assert both.newest == "second"
    assert both.unwrap(wrapped, "s", "first") == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Misconfigured, match="does not unwrap"):
        both.unwrap(wrapped, "another", "first")
    with pytest.raises(Misconfigured, match="second is missing"):
        first.unwrap(both.wrap(KEY, "s"), "s", "second")
    with pytest.raises(Misconfigured, match="already"):
        add_master_key(file, "second")


def test_processes_that_add_master_keys_at_once_lose_none(tmp_path: Path) -> None:
    file = tmp_path / "master.keys"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: add_master_key(file, f"key{n}"), range(40)))

    assert {line.split()[0] for line in file.read_text().splitlines()} == {f"key{n}" for n in range(40)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no master key"),
        ("name", "is not a name and a key"),
        ("name ***", "is not a name and a key"),
        (f"name {base64.b64encode(bytes(16)).decode()}", "16 bytes, not 32"),
    ],
)
def test_an_invalid_master_key_is_rejected_without_being_shown(text: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=why) as raised:
        MasterKeys.parse(text)
    assert not text.split()[1:] or text.split()[1] not in raised.value.detail
