"""Files that events name: missing and altered ones are found, each once."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from deploy.operations.verify.files import contexts_with_files, verify_files
from schemas.catalog import Catalog
from schemas.envelope import Metadata
from schemas.expected_version import NO_STREAM
from schemas.message import Event
from schemas.system import Context, ContextName, System
from schemas.values.files import KeptFile
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write
from streams.log.stored_events import encode
from streams.settings import Settings

HOME = ContextName("album", "pictures")


class Taken(Event):
    file: KeptFile


class Looked(Event):
    pass


CATALOG = Catalog.of([System("album", (Context("pictures", events=(Taken, Looked)), Context("others", events=(Looked,))))])


def kept(folder: Path, name: str, content: bytes) -> Taken:
    (folder / name).write_bytes(content)
    return Taken(file=KeptFile(key=name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content)))


async def filled(events: Sequence[Event]) -> MemoryLog:
    """Returns a log with these events, each in a stream of its own."""
    log = MemoryLog(HOME)
    for event in events:
        id = uuid4()
        metadata = Metadata(command_id=id, correlation_id="c")
        await log.append([Append(id, b"", metadata, (Write(f"picture-{id}", NO_STREAM, (encode(event),)),))])
    return log


async def test_missing_and_altered_files_are_found_by_the_position_of_their_event(tmp_path: Path) -> None:
    events = [kept(tmp_path, name, name.encode()) for name in ("whole", "gone", "cut", "altered", "whole")]
    log = await filled([events[0], Looked(), *events[1:]])
    settings = Settings(files_url=tmp_path.as_uri())
    (tmp_path / "gone").unlink()
    (tmp_path / "cut").write_bytes(b"cu")
    (tmp_path / "altered").write_bytes(b"ALTERED")

    report = await verify_files(settings, CATALOG, HOME, log, lambda _, __: None)

    assert (report.events, report.facts, report.found) == (5, {"files": 4}, 3)
    assert [(one["position"], str(one["what"])) for one in report.findings] == [
        (3, "the file gone is missing"),
        (4, "the file cut has 2 bytes, 3 were recorded"),
        (5, "the file altered was altered"),
    ]


async def test_without_a_place_for_files_each_is_missing(tmp_path: Path) -> None:
    log = await filled([kept(tmp_path, "one", b"1")])

    report = await verify_files(Settings(), CATALOG, HOME, log, lambda _, __: None)

    assert (report.found, "CAUDAL_FILES_URL" in str(report.findings[0]["what"])) == (1, True)


def test_contexts_without_files_are_left_out() -> None:
    assert contexts_with_files(list(CATALOG.contexts), CATALOG) == [HOME]
