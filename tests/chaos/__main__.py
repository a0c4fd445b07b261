"""`python -m tests.chaos [--kills N] [--seed S] [--broker embedded|kafka]`."""

import argparse
import asyncio
import sys
from dataclasses import asdict

import orjson

from tests.chaos.run import run_chaos

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broker", choices=("embedded", "kafka"), default="embedded")
    asked = parser.parse_args()
    outcome = asyncio.run(run_chaos(asked.kills, asked.seed, asked.broker))
    sys.stdout.write(orjson.dumps(asdict(outcome), option=orjson.OPT_INDENT_2).decode() + "\n")
