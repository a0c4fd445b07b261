"""`eventsourcing` from a saved aggregate to its row in the view of its own projection runner: `… DSN RATE SECONDS`.

The runner has a process of its own. Whether the row is there is asked every 2 ms, as Caudal's query API begins to ask: the
package's own `wait` would first look again after 100 ms. Aggregates are saved at a steady rate.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event as Flag

from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.projection import ProjectionRunner
from eventsourcing.utils import Environment

from tests.benchmarks.peers.eventsourcing import environment
from tests.benchmarks.peers.eventsourcing_counters import Counter, Counters, Totals, TotalsTable
from tests.benchmarks.peers.report import PAYLOAD, report_latencies

POLL_SECONDS, GIVE_UP_SECONDS, CLIENTS = 0.002, 30, 16


def project(dsn: str, ready: Flag, end: Flag) -> None:
    with ProjectionRunner(
        application_class=Counters, projection_class=Totals, view_class=TotalsTable, env=environment(dsn, 4, create=True)
    ):
        ready.set()
        end.wait()


def main(dsn: str, rate: int, seconds: float) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready, end = spawn.Event(), spawn.Event()
    runner = spawn.Process(target=project, args=(dsn, ready, end), daemon=True)
    runner.start()
    ready.wait(60)
    own = environment(dsn, CLIENTS, create=False)
    app = Counters(own)
    view = InfrastructureFactory[TotalsTable].construct(Environment(Totals.name, own)).tracking_recorder(TotalsTable)

    def one() -> float:
        (recording, *_) = app.save(Counter(PAYLOAD))
        began = time.perf_counter()
        while not view.has_tracking_id(app.name, recording.notification.id):
            if time.perf_counter() > began + GIVE_UP_SECONDS:
                raise TimeoutError("the view does not follow")
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        pending = []
        for number in range(int(rate * seconds)):
            time.sleep(max(0, began + number / rate - time.perf_counter()))
            pending.append(pool.submit(one))
        latencies = [done.result(60) for done in pending]
    report_latencies(latencies[rate:])
    end.set()
    runner.join()
    app.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
