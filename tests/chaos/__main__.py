"""`python -m tests.chaos [--faults N] [--seed S] [--broker embedded|kafka|kafka-tls]`."""

import argparse
import asyncio
import sys
from dataclasses import asdict

import orjson

from tests.chaos.run import run_chaos

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--broker", choices=("embedded", "kafka", "kafka-tls"), default="embedded")
    asked = parser.parse_args()
    outcome = asyncio.run(run_chaos(asked.faults, asked.seed, asked.broker))
    sys.stdout.write(orjson.dumps(asdict(outcome), option=orjson.OPT_INDENT_2).decode() + "\n")
