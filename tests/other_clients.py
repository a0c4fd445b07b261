"""Records that are sent and read by clients that know nothing of Caudal."""

import io
import time
from typing import Any
from uuid import uuid4

import orjson
from confluent_kafka import Consumer, Producer
from fastavro import parse_schema, schemaless_writer

from tests.stack import RunningStack


def encoded(record: dict[str, Any], registered: dict[str, Any]) -> bytes:
    """A record in Confluent's form, with the id of a registered schema."""
    out = io.BytesIO(b"\0" + registered["id"].to_bytes(4, "big"))
    out.seek(5)
    schemaless_writer(out, parse_schema(orjson.loads(registered["schema"])), record)
    return out.getvalue()


def produce(stack: RunningStack, topic: str, values: list[bytes]) -> None:
    """Sends records by a client that knows nothing of Caudal."""
    producer = Producer({"bootstrap.servers": stack.endpoints["brokers"]})
    for value in values:
        producer.produce(topic, value, key=b"k")
    assert producer.flush(20) == 0


def consumed(stack: RunningStack, topic: str, wanted: bytes) -> list[bytes]:
    """Returns the records of a topic that hold some bytes, once there is one."""
    settings = {"bootstrap.servers": stack.endpoints["brokers"], "group.id": uuid4().hex, "auto.offset.reset": "earliest"}
    consumer, give_up = Consumer(settings), time.monotonic() + 30
    consumer.subscribe([topic])
    try:
        while time.monotonic() < give_up:
            message = consumer.poll(1)
            value = None if message is None or message.error() else message.value()
            if isinstance(value, bytes) and wanted in value:
                return [value]
    finally:
        consumer.close()
    raise AssertionError(f"no record of {wanted!r} on {topic}")
