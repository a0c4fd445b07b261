"""`eventsourcing` with its PostgreSQL recorder at its best: `… DSN new|hot CLIENTS SECONDS`.

Its best, as measured: database functions on (2.5 to 4 times its default, though they give up its own ordering guarantee), the
recorder rather than the application, and two processes with two connections each: more connections wait for the lock that
its NOTIFY takes through the commit, fewer processes for the interpreter.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from urllib.parse import urlsplit
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresFactory

from tests.benchmarks.peers.report import PAYLOAD, report

PROCESSES, CONNECTIONS = 2, 2


class Bench(Application):  # type: ignore[type-arg]
    """An application, for its recorder."""


def environment(dsn: str, pool: int, *, create: bool) -> dict[str, str]:
    url = urlsplit(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port or 5432),
        "POSTGRES_DBNAME": url.path.lstrip("/"),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
        "POSTGRES_POOL_SIZE": str(pool),
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "yes",
        "CREATE_TABLE": "yes" if create else "no",
    }


def commands(app: Bench, case: str) -> Callable[[], object]:
    insert, state = app.recorder.insert_events, PAYLOAD.encode()
    stream, version = uuid4(), 0

    def new() -> object:
        return insert([StoredEvent(uuid4(), 1, "bench:Happened", state)])

    def hot() -> object:
        nonlocal version
        version += 1
        return insert([StoredEvent(stream, version, "bench:Happened", state)])

    return new if case == "new" else hot


def process(dsn: str, case: str, clients: int, seconds: float, together: Barrier, results: "Queue[tuple[int, float]]") -> None:
    app = Bench(environment(dsn, min(clients, CONNECTIONS), create=False))
    factory = app.factory
    assert isinstance(factory, PostgresFactory)
    factory.datastore.pool.open(wait=True)
    counts, ready = [0] * clients, threading.Barrier(clients + 1)
    deadline = 0.0

    def client(index: int) -> None:
        command, count = commands(app, case), 0
        ready.wait()
        ready.wait()
        while time.monotonic() < deadline:
            command()
            count += 1
        counts[index] = count

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    together.wait()
    started = time.monotonic()
    deadline = started + seconds
    ready.wait()
    for thread in threads:
        thread.join()
    results.put((sum(counts), time.monotonic() - started))
    app.close()


def main(dsn: str, case: str, clients: int, seconds: float) -> None:
    Bench(environment(dsn, 1, create=True)).close()  # the tables, before any process needs them
    spawn = multiprocessing.get_context("spawn")
    count = min(PROCESSES, clients)
    shares = [clients // count + (index < clients % count) for index in range(count)]
    together, results = spawn.Barrier(count), spawn.Queue()
    children = [spawn.Process(target=process, args=(dsn, case, n, seconds, together, results), daemon=True) for n in shares]
    for child in children:
        child.start()
    reports = [results.get(timeout=seconds + 60) for _ in children]
    for child in children:
        child.join()
    report(case, clients, sum(events for events, _ in reports), max(took for _, took in reports))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
