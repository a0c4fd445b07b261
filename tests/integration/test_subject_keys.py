"""The data subjects' keys: encrypted for one subject, decrypted while it is not erased, wrapped by keys that can be changed."""

from pathlib import Path

import pytest

from schemas.errors import Misconfigured, NotFound, Rejected
from streams.database.pools import Databases
from streams.encryption.encryption import add_master_key
from streams.encryption.subject_keys import SubjectKeys
from streams.integrations.encrypted_files import EncryptedFiles
from streams.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    add_master_key(tmp_path / "master.keys", "first")
    return tmp_path / "master.keys"


@pytest.fixture
def keys(settings: Settings, databases: Databases, file: Path) -> SubjectKeys:
    return SubjectKeys(settings.model_copy(update={"master_key_file": file}), databases)


async def test_a_text_is_decrypted_until_its_subject_is_erased(keys: SubjectKeys) -> None:
    encrypted = await keys.encrypt("ana", {"a": "first", "b": "second"})
    others = await keys.encrypt("eva", {"a": "third"})
    everything = [*encrypted.values(), *others.values(), "encrypted:1:nobody:AAAA", "plain"]

    assert sorted((await keys.decrypted(everything)).values()) == ["first", "second", "third"]
    await keys.erase("ana")
    assert list((await keys.decrypted(everything)).values()) == ["third"]
    await keys.erase("ana")
    with pytest.raises(Rejected, match="erased"):
        await keys.encrypt("ana", {"a": "again"})
    # The keys do not know that the last one was erased: it could get a key.
    assert await keys.not_erased(["ana", "eva", "nobody"]) == ["eva", "nobody"]


async def test_a_subject_that_was_never_known_can_be_erased_too(keys: SubjectKeys) -> None:
    await keys.erase("zoe")
    with pytest.raises(Rejected, match="erased"):
        await keys.encrypt("zoe", {"a": "text"})


async def test_a_repeated_text_is_encrypted_alike_and_an_encrypted_text_is_unchanged(keys: SubjectKeys) -> None:
    encrypted = await keys.encrypt("ana", {"a": "text"})

    assert await keys.encrypt("ana", {"a": "text"}) == encrypted
    assert await keys.encrypt("ana", {"a": encrypted["a"]}) == encrypted
    await keys.encrypt("eva", {"a": "text"})
    for text in (encrypted["a"], "encrypted:1:eva:AAAA", "encrypted:1:"):
        with pytest.raises(Rejected, match="not encrypted for its subject"):
            await keys.encrypt("eva", {"a": text})
    for subject in ("", "a:b"):
        with pytest.raises(Rejected, match="no colon"):
            await keys.encrypt(subject, {"a": "text"})


async def test_the_master_key_is_replaced_and_everything_stays_readable(keys: SubjectKeys, file: Path) -> None:
    encrypted = await keys.encrypt("ana", {"a": "text"})
    await keys.encrypt("zoe", {"a": "text"})
    await keys.erase("zoe")
    old = file.read_text()
    add_master_key(file, "second")

    assert await keys.wrapped_by_others() == 1
    assert await keys.rewrap() == 1
    assert await keys.wrapped_by_others() == 0
    assert await keys.rewrap() == 0
    file.write_text(file.read_text().splitlines()[0])
    assert await keys.decrypted(encrypted.values()) == {encrypted["a"]: "text"}
    file.write_text(old)
    with pytest.raises(Misconfigured, match="second is missing"):
        await keys.decrypted(encrypted.values())


async def test_without_a_master_key_nothing_is_encrypted(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no master key"):
        await SubjectKeys(settings, databases).encrypt("ana", {"a": "text"})
    gone = settings.model_copy(update={"master_key_file": tmp_path / "gone"})
    with pytest.raises(Misconfigured, match="cannot be read"):
        await SubjectKeys(gone, databases).encrypt("ana", {"a": "text"})


async def test_a_file_is_read_until_its_subject_is_erased(keys: SubjectKeys, settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"files_url": (tmp_path / "files").as_uri()})
    files, file = EncryptedFiles(own, keys), tmp_path / "files" / "quarantine" / "1"
    await files.put("quarantine/1", "image-1", b"DICM of Ana")
    copy = file.read_bytes()

    assert b"Ana" not in copy
    assert await files.get("quarantine/1", "image-1") == b"DICM of Ana"
    with pytest.raises(NotFound):
        await files.get("quarantine/1", "image-2")
    await keys.erase("image-1")
    with pytest.raises(NotFound):
        await files.get("quarantine/1", "image-1")
    with pytest.raises(Rejected, match="erased"):
        await files.put("quarantine/1", "image-1", b"again")


async def test_a_secret_stays_the_same_under_another_master_key(keys: SubjectKeys, file: Path) -> None:
    secret = await keys.secret("pseudonyms", "uids")

    add_master_key(file, "second")
    await keys.rewrap()

    assert await keys.secret("pseudonyms", "uids") == secret
    assert await keys.secret("pseudonyms", "other") != secret
