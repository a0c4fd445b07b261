"""The data subjects' keys: sealed for one subject, opened while it is not forgotten, wrapped by keys that can be changed."""

from pathlib import Path

import pytest

from schemas.errors import Misconfigured, Refused
from streams.database.pools import Databases
from streams.encryption.encryption import add_master_key
from streams.encryption.subject_keys import SubjectKeys
from streams.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    add_master_key(tmp_path / "master.keys", "first")
    return tmp_path / "master.keys"


@pytest.fixture
def keys(settings: Settings, databases: Databases, file: Path) -> SubjectKeys:
    return SubjectKeys(settings.model_copy(update={"master_key_file": file}), databases)


async def test_what_is_sealed_is_opened_until_its_subject_is_forgotten(keys: SubjectKeys) -> None:
    sealed = await keys.seal("ana", {"a": "first", "b": "second"})
    others = await keys.seal("eva", {"a": "third"})
    everything = [*sealed.values(), *others.values(), "sealed:1:nobody:AAAA", "plain"]

    assert sorted((await keys.opened(everything)).values()) == ["first", "second", "third"]
    await keys.forget("ana")
    assert list((await keys.opened(everything)).values()) == ["third"]
    await keys.forget("ana")
    with pytest.raises(Refused, match="forgotten"):
        await keys.seal("ana", {"a": "again"})
    # Nobody knows of the last one that it was forgotten: it could get a key.
    assert await keys.not_forgotten(["ana", "eva", "nobody"]) == ["eva", "nobody"]


async def test_whoever_was_never_known_can_be_forgotten_too(keys: SubjectKeys) -> None:
    await keys.forget("zoe")
    with pytest.raises(Refused, match="forgotten"):
        await keys.seal("zoe", {"a": "text"})


async def test_a_repeat_is_sealed_alike_and_what_is_sealed_is_let_through(keys: SubjectKeys) -> None:
    sealed = await keys.seal("ana", {"a": "text"})

    assert await keys.seal("ana", {"a": "text"}) == sealed
    assert await keys.seal("ana", {"a": sealed["a"]}) == sealed
    await keys.seal("eva", {"a": "text"})
    for text in (sealed["a"], "sealed:1:eva:AAAA", "sealed:1:"):
        with pytest.raises(Refused, match="none of its subject's"):
            await keys.seal("eva", {"a": text})
    for subject in ("", "a:b"):
        with pytest.raises(Refused, match="no colon"):
            await keys.seal(subject, {"a": "text"})


async def test_the_master_key_is_changed_while_everything_stays_readable(keys: SubjectKeys, file: Path) -> None:
    sealed = await keys.seal("ana", {"a": "text"})
    await keys.seal("zoe", {"a": "text"})
    await keys.forget("zoe")
    old = file.read_text()
    add_master_key(file, "second")

    assert await keys.rewrap() == 1
    assert await keys.rewrap() == 0
    file.write_text(file.read_text().splitlines()[0])
    assert await keys.opened(sealed.values()) == {sealed["a"]: "text"}
    file.write_text(old)
    with pytest.raises(Misconfigured, match="second is not there"):
        await keys.opened(sealed.values())


async def test_without_a_master_key_nothing_is_sealed(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no master key"):
        await SubjectKeys(settings, databases).seal("ana", {"a": "text"})
    gone = settings.model_copy(update={"master_key_file": tmp_path / "gone"})
    with pytest.raises(Misconfigured, match="cannot be read"):
        await SubjectKeys(gone, databases).seal("ana", {"a": "text"})
