"""Searches for texts that must be nowhere in the clear: in the files of a stack, and on the topics of its systems."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.stack import RunningStack

_APART = frozenset({"mail", "keys"})
"""Folders of a stack that are to hold such texts."""


def files_with(folder: Path, texts: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Yields the files of a stack's folder that hold one of the texts; mail and keys apart."""
    wanted = tuple(texts)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        if path.relative_to(folder).parts[0] not in _APART:
            content = path.read_bytes()
            yield from ((path.relative_to(folder), text) for text in wanted if is_in(content, text))


def is_in(content: bytes, text: str) -> bool:
    """Returns whether a file holds a text, also as the embedded broker keeps it: one number a byte."""
    return text.encode() in content or ",".join(map(str, text.encode())).encode() in content


async def records_with(stack: RunningStack, texts: Iterable[str], kinds: Iterable[bytes]) -> list[Any]:
    """Returns the records of events, commands or dead letters that hold one of the texts.

    Fails unless records of all ``kinds`` of messages were among those that were searched.
    """
    wanted = [text.encode() for text in texts]
    catalog = installed_catalog(stack.endpoints["systems"])
    names = Topics(Settings(), catalog)
    topics = [topic(context) for context in catalog.contexts for topic in (names.events, names.commands, names.dead_letters)]
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=stack.endpoints["brokers"], auto_offset_reset="earliest")
    found, seen = list[Any](), set[bytes | None]()
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                seen |= {dict(record.headers).get("ce_type") for record in batch}
                found += [record for record in batch if any(text in (record.value or b"") for text in wanted)]
    finally:
        await consumer.stop()
    assert set(kinds) <= seen, seen
    return found
