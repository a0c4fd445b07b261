"""``caudal up``: starts the local stack, says where everything is, and stops it again."""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.console.options import DEFAULT_DATA_DIR
from deploy.local.endpoints import Endpoints, running_stack
from deploy.local.stack import Broker, Stack, choose_ports, ephemeral_folder
from schemas.catalog import Catalog
from schemas.clinical_lab.users import user_id_of
from schemas.errors import CaudalError
from streams.security.tokens import TokenIssuer
from streams.settings import Settings


async def run_stack(data_dir: Path | None, settings: Settings, broker: Broker, *, automatic_ports: bool, as_json: bool) -> int:
    """Runs until SIGINT or SIGTERM and returns the exit code: 0 after either, 1 where something failed."""
    errors = Console(stderr=True, highlight=False)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    folder = (data_dir or ephemeral_folder()).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                other = running_stack(folder)
                which = f", as process {other.pid}" if other else " and is still starting"
                errors.print(f"caudal: a stack with this data runs already{which}", style="red", soft_wrap=True)
                return 1
            return await _run(folder, settings, broker, stopping, errors, automatic_ports=automatic_ports, as_json=as_json)
    finally:
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(
    folder: Path,
    settings: Settings,
    broker: Broker,
    stopping: asyncio.Event,
    errors: Console,
    *,
    automatic_ports: bool,
    as_json: bool,
) -> int:
    started = time.monotonic()
    code = 0
    stack = None
    try:
        ports = choose_ports(broker, automatic=automatic_ports)
        stack = Stack(folder, ports, broker, settings)
        starting = asyncio.create_task(stack.start())
        if await _first(starting, stopping):
            _announce(stack.endpoints, time.monotonic() - started, as_json=as_json)
            await _first(asyncio.create_task(stack.watch()), stopping)
    except* CaudalError as failures:
        for failure in _flat(failures):
            errors.print(f"caudal: {failure.detail}", style="red", markup=False, soft_wrap=True)
        code = 1
    finally:
        if stack is not None:
            if not as_json:
                errors.print("Stopping …")
            await stack.stop()
    return code


async def _first(work: asyncio.Task[None], stopping: asyncio.Event) -> bool:
    """Waits for the work or the signal to stop, whichever comes first; whether the work has ended by itself."""
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        await work
        return True
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return False


def _flat(group: BaseExceptionGroup[CaudalError]) -> list[CaudalError]:
    found: list[CaudalError] = []
    for error in group.exceptions:
        found += _flat(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _announce(endpoints: Endpoints, seconds: float, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(endpoints.as_json() + os.linesep)
        sys.stdout.flush()
        return
    console = Console(highlight=False)
    table = Table(title=f"Caudal is ready after {seconds:.1f} s", title_justify="left", show_header=False)
    for name, where in (
        ("Command API", f"{endpoints.command_api}/docs"),
        ("Query API", f"{endpoints.query_api}/docs"),
        ("PostgreSQL", endpoints.postgres),
        ("Kafka brokers", endpoints.brokers),
        ("Data", endpoints.data_dir),
        ("Logs", endpoints.log_dir),
    ):
        table.add_row(name, where)
    console.print(table)
    console.print("Try it (validated and processed a moment after it is ingested):\n")
    body = '{"partner_id": "partner123", "payload": {"name": "Example Data", "age": 30}}'
    console.print(
        f"curl -s {endpoints.command_api}/ingest -H 'Content-Type: application/json' -d '{body}'",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"curl -s {endpoints.query_api}/query/partner/partner123", markup=False, soft_wrap=True)
    _announce_tokens(console, endpoints)
    caudal = os.path.relpath(sys.argv[0])
    where = "" if Path(endpoints.data_dir) == DEFAULT_DATA_DIR.resolve() else f" --data-dir {endpoints.data_dir}"
    console.print("\nEvery process with its port, and how far each is; and the proof that nothing is lost:\n", soft_wrap=True)
    for command in ("status", "verify"):
        console.print(f"{caudal} {command}{where}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops everything.")


def _announce_tokens(console: Console, endpoints: Endpoints) -> None:
    """Prints a token for a demonstration user of each role, ready to be pasted into another terminal.

    Each is that of whoever registers under the name: a result with the ``patient_username`` demo-patient is the patient's.
    """
    issuer = TokenIssuer(endpoints.applied_to(Settings()))
    told = (
        "\nTokens, one for each role and good for an hour (`caudal token` makes others). Those of CLINICIAN and PATIENT are of "
        "the users demo-clinician and demo-patient, whom POST /users makes:\n"
    )
    console.print(told, soft_wrap=True)
    for role in sorted(Catalog.installed(endpoints.systems).roles()):
        text = issuer.issue(str(user_id_of(f"demo-{role.replace('_', '-')}")), [role]).text
        console.print(f"{role.upper()}={text}", markup=False, soft_wrap=True)
