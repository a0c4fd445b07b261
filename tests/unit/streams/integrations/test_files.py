"""Files in a folder: whole, replaced and deleted; and stores that are out of reach or no stores."""

from pathlib import Path

import pytest

from schemas.errors import Misconfigured, NotFound, Unavailable
from streams.integrations.files import Files
from streams.settings import Settings


def files_at(url: str | None) -> Files:
    return Files.of(Settings(files_url=url))


async def test_a_file_is_written_whole_replaced_and_deleted(tmp_path: Path) -> None:
    files = files_at((tmp_path / "a folder").as_uri())

    await files.put("images/1.dcm", b"first")
    await files.put("images/1.dcm", b"second")
    await files.put("images/deep/2.dcm", b"")
    await files.put("other", b"x")

    assert await files.get("images/1.dcm") == b"second"
    assert (tmp_path / "a folder" / "images" / "1.dcm").read_bytes() == b"second"
    assert {key async for key in files.keys("images")} == {"images/1.dcm", "images/deep/2.dcm"}
    for _ in range(2):
        await files.delete("images/1.dcm")
    assert {key async for key in files.keys("images")} == {"images/deep/2.dcm"}
    assert [key async for key in files.keys("nothing")] == []
    with pytest.raises(NotFound, match=r"there is no file images/1\.dcm"):
        await files.get("images/1.dcm")


async def test_a_folder_that_cannot_be_written_is_out_of_reach(tmp_path: Path) -> None:
    files = files_at((tmp_path / "folder").as_uri())
    (tmp_path / "folder").rmdir()
    (tmp_path / "folder").write_text("a file is in its place")

    with pytest.raises(Unavailable, match="the files are out of reach"):
        await files.put("a/b", b"x")


@pytest.mark.parametrize("key", ["../x", "a/../../x", "a//b", ""])
async def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    files = files_at((tmp_path / "folder").as_uri())

    with pytest.raises((ValueError, Unavailable)):
        await files.put(key, b"x")

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", [None, "nonsense://x", "folder", "file:///dev/null/folder"])
def test_a_place_that_is_none_is_misconfigured(url: str | None) -> None:
    with pytest.raises(Misconfigured, match="CAUDAL_FILES_URL"):
        files_at(url)
