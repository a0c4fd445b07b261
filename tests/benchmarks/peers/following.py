"""Caudal from the acknowledgement of a command to its row in the query API: `… COMMAND_API QUERY_API RATE SECONDS`.

Commands are sent at a steady rate, regardless of the answers; each is followed by a query that carries its consistency token.
"""

import asyncio
import sys
import time

import aiohttp
import uvloop

from tests.benchmarks.counters import NOTE
from tests.benchmarks.peers.report import report_latencies


async def run(commands: str, queries: str, rate: int, seconds: float) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one() -> float:
            async with session.post(f"{commands}/commands/bench/open-counter", json={"note": NOTE}) as accepted:
                accepted.raise_for_status()
                stream, token = (await accepted.json())["stream"], accepted.headers["Consistency-Token"]
            began = time.perf_counter()
            async with session.get(f"{queries}/views/bench/totals/{stream}", headers={"Consistency-Token": token}) as seen:
                seen.raise_for_status()
                await seen.read()
            return time.perf_counter() - began

        began, pending = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            pending.append(asyncio.create_task(one()))
        latencies = await asyncio.wait_for(asyncio.gather(*pending), 60)
    report_latencies(latencies[rate:])  # the first second is for connecting


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
