"""Fetch back-off: pauses a consumer whose broker answers empty fetches at once instead of holding them.

Kafka and Redpanda hold a fetch until there is data or ``fetch_max_wait_ms`` is over, and need none of this. The embedded
broker (noida-db 0.2.3) answers 2,000 empty fetches a second and connection, which keeps two cores busy at rest: the local
stack sets ``CAUDAL_FETCH_BACKOFF`` for it.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

_FETCH = 1
_FIRST_PAUSE_SECONDS = 0.001
_MAX_PAUSES = ((60.0, 0.15), (10.0, 0.05), (1.0, 0.016), (0.0, 0.004))
"""Seconds without records, and the longest pause, in seconds, from then on."""
_HELD_SECONDS = 0.05
"""An answer that takes longer than this was held by the broker."""


def with_fetch_backoff(consumer: AIOKafkaConsumer) -> AIOKafkaConsumer:
    """Returns the same consumer, which waits 1 ms after an empty answer that came at once, 2 ms after the next, at most 4 ms.

    After a second without records it waits at most 16 ms, after ten seconds at most 50 ms, after a minute at most 150 ms.
    """
    client = consumer._client  # a private attribute of the release that is pinned
    send = client.send
    pauses: dict[int, float] = {}
    newest = float("-inf")

    async def send_and_wait(node_id: int, request: Any, **options: Any) -> Any:
        nonlocal newest
        clock = asyncio.get_running_loop()
        started = clock.time()
        response = await send(node_id, request, **options)
        if response is not None and response.API_KEY == _FETCH:
            if _has_records_or_errors(response):
                newest = clock.time()
                pauses.pop(node_id, None)
            elif clock.time() - started > _HELD_SECONDS:
                pauses.pop(node_id, None)
            else:
                pause = pauses.get(node_id, _FIRST_PAUSE_SECONDS)
                pauses[node_id] = min(2 * pause, _max_pause(clock.time() - newest))
                await asyncio.sleep(pause)
        return response

    client.send = send_and_wait
    return consumer


def _max_pause(idle_seconds: float) -> float:
    return next(pause for after, pause in _MAX_PAUSES if idle_seconds >= after)


def _has_records_or_errors(response: Any) -> bool:
    return any(error_code or data[-1] for _, partitions in response.topics for _, error_code, *data in partitions)
