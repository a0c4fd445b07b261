"""Faust gets a whole batch of a partition as one event; what it does with it runs in the integration tests."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.broker.faust_consumer import FaustConsumer, _BackoffTransport, _BatchScheduler
from streams.settings import Settings


def record(offset: int) -> Any:
    return SimpleNamespace(
        topic="t", partition=2, offset=offset, timestamp=1, timestamp_type=0, key=b"k", checksum=None,
        serialized_key_size=1, serialized_value_size=1,
    )  # fmt: skip


def test_a_batch_of_a_partition_is_one_event_with_the_newest_coordinates() -> None:
    records = [record(5), record(6)]

    scheduler: Any = _BatchScheduler
    ((tp, batch),) = scheduler().iterate({TP("t", 2): records, TP("t", 3): []})

    assert (tp, batch.topic, batch.partition, batch.offset, batch.value) == (TP("t", 2), "t", 2, 6, records)


@pytest.mark.parametrize("wanted", [False, True])
async def test_the_transport_backs_off_only_if_the_settings_ask_for_it(wanted: bool) -> None:
    async def deliver(_: Any) -> None: ...

    consumer = FaustConsumer(Settings(fetch_backoff=wanted), "group", {"t": 1}, deliver, lambda _, is_member: None)

    assert isinstance(consumer._app().transport, _BackoffTransport) is wanted
