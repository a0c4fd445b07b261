"""Kafka clients: how they are configured, started, used and stopped within time limits, and a producer that replaces itself.

A client is started and stopped in a task of its own (`streams.broker.own_tasks`). If it does not stop in time, its connections
are aborted, which ends its requests.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from schemas.errors import Unavailable
from streams.broker.fetch_backoff import with_fetch_backoff
from streams.broker.own_tasks import in_own_task, stop_or_abort
from streams.broker.security import rejection, security_options
from streams.settings import Settings
from streams.telemetry.retrying import reason

Client: TypeAlias = AIOKafkaProducer | AIOKafkaConsumer | AIOKafkaAdminClient

ORIGIN_BYTES = 64 * 1024
"""Bytes that a dead letter's record may have beyond those of its original, for the headers with its origin."""
OUTAGES = (KafkaError, OSError)
"""Errors of a client whose broker is out of reach or rejects it; a time-out is an `OSError`."""
METADATA_MS = 30_000
"""Milliseconds after which a member of a group looks again whether a topic that was missing exists."""
_MAX_START_SECONDS = 15.0
"""A start includes several requests, each of which has the time limit of the settings."""
_MAX_CANCELLED_START_SECONDS = 1.0
_MAX_PROBE_SECONDS = 3.0
_MAX_STOP_SECONDS = 1.0
MAX_SILENCE_SECONDS = 10.0
"""How long a partition that has records may deliver none while it is read to its end."""


class ResilientProducer:
    """One idempotent producer for all tasks of a process: started at its first use, replaced after a failure.

    A producer that failed once may be fenced, or out of step with a broker that lost its state.
    """

    def __init__(self, settings: Settings, kind: str, before_start: Callable[[], Awaitable[object]] | None = None) -> None:
        """``kind`` is a part of its client id; ``before_start`` is awaited before each start; it may create topics."""
        self._settings, self._kind, self._before_start = settings, kind, before_start
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AIOKafkaProducer]:
        """Lends the producer to a block; raises `Unavailable` for the client's errors, after which the producer is replaced.

        The block has the time limit of the settings, the start of the producer included. It must wait for the
        acknowledgements of what it sends: aiokafka itself waits for those of an idempotent producer without a limit.
        """
        producer = None
        try:
            async with time_limit(self._settings):
                producer = await self._started()
                yield producer
        except OUTAGES as error:
            if producer is self._producer:  # another task may have replaced it already
                await self.close()
            raise Unavailable("no broker acknowledges", f"{self._settings.brokers}: {rejection(error)}") from error

    async def close(self) -> None:
        """Stops the producer; the next use starts another."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_quietly(producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                if self._before_start is not None:
                    await self._before_start()
                self._producer = await started_producer(self._settings, self._kind)
            return self._producer


async def started_producer(settings: Settings, kind: str = "producer") -> AIOKafkaProducer:
    """Returns a connected, idempotent producer that waits for every in-sync replica; raises the client's errors."""
    producer = AIOKafkaProducer(
        enable_idempotence=True,
        acks="all",
        max_batch_size=256 * 1024,  # records that are sent together travel together: the default holds a dozen events
        max_request_size=settings.max_record_bytes + ORIGIN_BYTES,
        **_options(settings, kind),
    )
    try:
        await start(producer)
    except BaseException:
        await stop_quietly(producer)
        raise
    return producer


def new_consumer(settings: Settings, kind: str, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """Returns a consumer, not yet started, that commits no offsets by itself; ``options`` are the client's."""
    own = _options(settings, kind)
    if "group_id" in options:
        del own["request_timeout_ms"]  # the broker holds a request to join a group until all members have sent theirs
        own["metadata_max_age_ms"] = METADATA_MS
    consumer = AIOKafkaConsumer(*topics, enable_auto_commit=False, **own | options)
    return with_fetch_backoff(consumer) if settings.fetch_backoff else consumer


def is_member(consumer: AIOKafkaConsumer) -> bool:
    """Returns whether the group of a consumer has admitted it; a member may have no partitions."""
    subscription = consumer._subscription.subscription  # a private attribute of the release that is pinned
    return subscription is not None and subscription.assignment is not None


def leave_unless_member(consumer: AIOKafkaConsumer) -> None:
    """Makes a consumer with a stable name leave its group when it stops, unless the group has admitted it.

    One that the group has admitted keeps its place for its next start. A broker may know the name without an assignment, if
    its process went away while the group was shared out: it then answers every attempt to join with nothing, and the client
    fails. After the name has left, the group is shared out anew.
    """
    if consumer._coordinator is not None and not is_member(consumer):
        consumer._coordinator._group_instance_id = None  # a private attribute of the release that is pinned


def new_admin(settings: Settings, kind: str = "admin") -> AIOKafkaAdminClient:
    """Returns an admin client, not yet started."""
    return AIOKafkaAdminClient(**_options(settings, kind))


def client_id(settings: Settings, kind: str) -> str:
    """Returns the client id that brokers and their dashboards show: the kind of client and the instance of its process."""
    return f"caudal-{kind}-{settings.instance}"


def _options(settings: Settings, kind: str) -> dict[str, Any]:
    return {
        "bootstrap_servers": settings.brokers,
        "client_id": client_id(settings, kind),
        "request_timeout_ms": int(settings.broker_timeout_seconds * 1000),
        **security_options(settings),
    }


@asynccontextmanager
async def time_limit(settings: Settings) -> AsyncIterator[None]:
    """Raises `KafkaTimeoutError` if a block that waits for the broker takes longer than the settings allow."""
    seconds = settings.broker_timeout_seconds
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise KafkaTimeoutError(f"the broker has not answered within {seconds:g} s") from error


@asynccontextmanager
async def connected_consumer(settings: Settings, kind: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Lends a consumer without a group to a block, with options of the client.

    Raises `Unavailable` if the broker is or gets out of reach.
    """
    consumer = new_consumer(settings, kind, **options)
    try:
        await start(consumer)
        yield consumer
    except OUTAGES as error:
        raise Unavailable("no broker answers", f"{settings.brokers}: {reason(error)}") from error
    finally:
        await stop_quietly(consumer)


async def why_no_broker_answers(settings: Settings) -> str | None:
    """Returns why no broker of the settings answers with the metadata of its cluster, or ``None`` if one does."""
    client = AIOKafkaClient(**_options(settings, "status"))
    try:
        async with time_limit(settings):
            await client.bootstrap()
    except OUTAGES as error:
        return f"no broker answers: {settings.brokers}: {rejection(error)}"
    finally:
        await client.close()
    return None


async def start(client: Client) -> None:
    """Starts a producer, consumer or admin client; raises the client's errors, and `KafkaTimeoutError` after 15 s.

    If the caller is cancelled, the start is first awaited for a second: a client that is interrupted while it connects would
    leave a connection behind.
    """
    try:
        await in_own_task(client.start(), _MAX_START_SECONDS, _MAX_CANCELLED_START_SECONDS)
    except KafkaConnectionError as error:
        cause = await _cause_of_rejection(_kafka_client(client))
        raise KafkaConnectionError(rejection(error if cause is None else cause)) from error


async def stop_quietly(*clients: Client) -> None:
    """Stops clients whose broker may be out of reach, all at once and within 1.5 s.

    The connections of a client that does not stop by itself are aborted. If the caller is cancelled meanwhile, all clients
    are stopped before the cancellation is raised.
    """
    await stop_or_abort({_stop(client): partial(abort, client) for client in clients}, _MAX_STOP_SECONDS)


def abort(client: Client) -> None:
    """Ends the connections of a client without waiting for the broker: its requests fail, and so its tasks end."""
    # Private attributes of the release that is pinned.
    if isinstance(client, AIOKafkaProducer):
        accumulator = client._message_accumulator
        batches = [*chain.from_iterable(accumulator._batches.values()), *accumulator._pending_batches]
        accumulator._pending_batches.update(batches)  # one that waits to be sent again would fail to be removed from them
        accumulator.fail_all(KafkaConnectionError("the producer was dropped"))
        for future in (
            one for batch in batches for one in (batch.future, batch._drain_waiter, *(of for of, _ in batch._msg_futures))
        ):
            if not future.cancelled():
                future.exception()  # a caller that has given up does not take it, and asyncio would log that
        if client._sender.sender_task is not None:
            client._sender.sender_task.cancel()
    kafka = _kafka_client(client)
    if kafka._sync_task is not None:
        kafka._sync_task.cancel()
    for connection in list(kafka._conns.values()):
        if connection._writer is not None:
            connection._writer.transport.abort()  # a close would first wait until the peer has read everything
        connection.close()


def _kafka_client(client: Client) -> AIOKafkaClient:
    return client.client if isinstance(client, AIOKafkaProducer) else client._client


async def _stop(client: Client) -> None:
    with suppress(*OUTAGES):
        await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())


async def _cause_of_rejection(kafka: AIOKafkaClient) -> Exception | None:
    """Returns why no bootstrap server accepts a connection: the client only logs it. ``None`` if one accepts it now."""
    names = ("client_id", "security_protocol", "ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    options = {name: getattr(kafka, f"_{name}") for name in (*names, "sasl_oauth_token_provider", "request_timeout_ms")}
    cause: Exception | None = None
    for host, port, _ in kafka.hosts:
        try:
            connection = await in_own_task(create_conn(host, port, **options), _MAX_PROBE_SECONDS)
        except OUTAGES as error:
            cause = error
        else:
            connection.close()
            return None
    return cause


async def records_up_to(consumer: AIOKafkaConsumer, tp: TopicPartition, end: int) -> AsyncIterator[Sequence[Any]]:
    """Yields a partition's records from the consumer's position up to an offset, exclusive, in chunks.

    Raises `TimeoutError` if no record arrives for ten seconds.
    """
    heard = time.monotonic()
    while await _position(consumer, tp) < end:
        if records := (await consumer.getmany(tp, timeout_ms=1000, max_records=1000)).get(tp):
            yield records
            heard = time.monotonic()
        elif time.monotonic() - heard > MAX_SILENCE_SECONDS:
            raise TimeoutError(f"{tp.topic}/{tp.partition} delivers no record below offset {end}")


async def _position(consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
    async with asyncio.timeout(MAX_SILENCE_SECONDS):
        return int(await consumer.position(tp))
