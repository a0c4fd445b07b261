"""DICOM files are stored without their person, or encrypted until somebody has looked at them."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from command_api.dicom.rejections import NotDeidentifiable, Reason
from command_api.dicom.storing import delete_quarantined, release, store
from command_api.handling.activities import ActivityContext
from schemas.errors import CostlyBefore, NotFound, Unavailable
from schemas.values.dicom import DicomFile, QuarantinedFile, quarantine_subject
from streams.bounded_processes import BoundedProcesses
from streams.settings import Settings
from tests.unit.command_api.activity_context import context_of
from tests.unit.command_api.dicom.images import NAME, image, opened, written

ID = UUID(int=7)
CLEAN, WITH_TEXT = written(image()), written(image(BurnedInAnnotation="YES"))


def keeping(folder: Path) -> ActivityContext:
    return replace(context_of(), settings=Settings(files_url=folder.as_uri()))


def stored(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_file_is_stored_without_its_person_and_the_same_at_a_repeat(tmp_path: Path) -> None:
    first, again = [await store(CLEAN, ID, "a", keeping(tmp_path)) for _ in range(2)]

    assert first == again
    assert isinstance(first, DicomFile)
    ((key, content),) = stored(tmp_path).items()
    assert (key, first.bytes, first.modality, first.rows) == (first.key, len(content), "CT", 4)
    assert NAME.encode() not in content
    assert opened(content).PatientIdentityRemoved == "YES"


async def test_a_file_that_may_show_a_person_is_encrypted_released_and_deleted(tmp_path: Path) -> None:
    context = keeping(tmp_path)

    file = await store(WITH_TEXT, ID, "a", context)

    assert isinstance(file, QuarantinedFile)
    assert (file.bytes, file.reason) == (len(WITH_TEXT), Reason.TEXT_IN_PIXELS)
    assert stored(tmp_path) == {file.key: b"encrypted for " + quarantine_subject(ID).encode() + WITH_TEXT[::-1]}
    other = await store(written(image(BurnedInAnnotation="YES", PatientID="8")), ID, "a", context)
    assert (other.key != file.key, len(stored(tmp_path))) == (True, 2), "another file under the same id replaces none"
    released = await release(ID, file, context)
    assert NAME.encode() not in stored(tmp_path)[released.key]
    for _ in range(2):
        await delete_quarantined(ID, context)
    assert set(stored(tmp_path)) == {released.key}
    with pytest.raises(NotFound):
        await release(ID, file, context)


async def test_a_repeat_stores_nothing_and_is_described_alike(tmp_path: Path) -> None:
    for dicom in (CLEAN, WITH_TEXT):
        assert await store(dicom, ID, "a", keeping(tmp_path / "a"), is_repeat=True) == await store(
            dicom, ID, "a", keeping(tmp_path / "b")
        )
    assert stored(tmp_path / "a") == {}


@pytest.mark.parametrize(("dicom", "why"), [(b"", Reason.NOT_DICOM), (CLEAN[:-1], Reason.DAMAGED)])
async def test_what_cannot_be_de_identified_is_not_stored(tmp_path: Path, dicom: bytes, why: Reason) -> None:
    with pytest.raises(NotDeidentifiable, match=why):
        await store(dicom, ID, "a", keeping(tmp_path))
    assert stored(tmp_path) == {}


async def test_a_file_that_expands_beyond_the_limit_is_not_stored(tmp_path: Path) -> None:
    context = keeping(tmp_path)
    small = replace(context, settings=context.settings.model_copy(update={"max_file_bytes": 100}))

    with pytest.raises(NotDeidentifiable, match=Reason.TOO_LARGE):
        await store(CLEAN, ID, "a", small)
    assert stored(tmp_path) == {}


async def test_a_file_of_a_sender_whose_files_took_too_long_may_be_sent_again(tmp_path: Path) -> None:
    context = replace(keeping(tmp_path), processes=Ended())  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        await store(CLEAN, ID, "a", context)


class Ended:
    """Processes in which others of the same origin were ended."""

    async def run(self, *_: object, **__: object) -> None:
        raise CostlyBefore("three were ended")


async def test_a_file_that_takes_too_long_is_rejected(tmp_path: Path) -> None:
    context = replace(keeping(tmp_path), processes=BoundedProcesses(cpu_seconds=0.001))
    large = written(image(Rows=5000, Columns=5000, PixelData=bytes(50_000_000)))

    with pytest.raises(NotDeidentifiable, match=Reason.TOO_COSTLY):
        await store(large, ID, "a", context)
    assert stored(tmp_path) == {}
