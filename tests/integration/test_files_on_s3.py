"""Files in an object store with the API of S3: the same as in a folder."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from schemas.errors import Damaged, NotFound, Unavailable
from streams.integrations.files import Files
from streams.settings import Settings
from tests.integration.s3_server import S3Server, running_s3


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Server]:
    async with running_s3() as (store, address):
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "caudal",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield store


@pytest.fixture
def files(store: S3Server) -> Files:
    return Files.of(Settings(files_url=f"s3://bucket/prefix-{id(store)}"))


async def test_a_file_is_written_read_listed_and_deleted(store: S3Server, files: Files) -> None:
    await files.put("images/1.dcm", b"first")
    await files.put("images/1.dcm", b"second")
    await files.put("images/deep/2.dcm", b"x")
    await files.put("other", b"y")

    assert await files.get("images/1.dcm") == b"second"
    assert {key async for key in files.keys("images")} == {"images/1.dcm", "images/deep/2.dcm"}
    assert store.objects[f"prefix-{id(store)}/images/1.dcm"] == b"second"
    assert store.users == {"caudal"}
    for _ in range(2):
        await files.delete("images/1.dcm")
    with pytest.raises(NotFound):
        await files.get("images/1.dcm")
    assert {key async for key in files.keys("images")} == {"images/deep/2.dcm"}


async def test_a_file_is_read_in_parts_as_it_was_recorded(files: Files) -> None:
    content = bytes(range(256)) * 20_000
    await files.put("large", content)
    digest = hashlib.sha256(content).hexdigest()

    parts = [part async for part in await files.read("large", size=len(content), sha256=digest)]

    assert (b"".join(parts), len(parts) > 1) == (content, True)
    with pytest.raises(Damaged):
        await files.read("large", size=len(content) + 1, sha256=digest)
    altered = await files.read("large", size=len(content), sha256="0" * 64)
    got = 0
    with pytest.raises(Damaged):
        async for part in altered:
            got += len(part)
    assert got < len(content), "the last part is held back"
    await files.put("small", b"evil")
    with pytest.raises(Damaged):
        await files.read("small", size=4, sha256=hashlib.sha256(b"good").hexdigest())
    with pytest.raises(Damaged):
        await files.read("gone", size=1, sha256=digest)


async def test_a_store_that_is_down_is_out_of_reach(store: S3Server, files: Files) -> None:
    store.is_down = True

    with pytest.raises(Unavailable, match="out of reach"):
        await files.get("images/1.dcm")
