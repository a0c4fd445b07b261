"""A broker that is frozen or killed hangs no request, no readiness check and no stop of any process."""

import time

import httpx
import psutil
import pytest

from tests.conftest import eventually
from tests.frozen import freeze, unfreeze
from tests.laboratory import recorded, signed_in
from tests.stack import running_stack

LIMIT = 2.0
STOP_SECONDS = 6.0
PROCESSES = ("relay", "worker", "projectors", "query-api")


def has_ended(process: psutil.Process) -> bool:
    """Whether it has ended; its parent, which is stopped, has not noticed yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("is_killed", [False, True])
async def test_a_silent_broker_hangs_nothing(is_killed: bool) -> None:
    environment = {"CAUDAL_SYSTEMS": "clinical_lab", "CAUDAL_BROKER_TIMEOUT_SECONDS": str(LIMIT)}
    async with running_stack(environment=environment) as stack:
        token = await signed_in(stack, "ana", 1)
        number, seen = await recorded(stack, token, patient="p", result="r")
        assert (await stack.queries.get(f"/results/{number}", headers={**token, **seen})).status_code == 200
        ports, broker = stack.endpoints["ports"], stack.pid_of("broker")
        processes = {name: psutil.Process(stack.pid_of(name)) for name in PROCESSES}

        freeze(stack.process.pid)  # nobody starts a part again
        if is_killed:
            stack.kill("broker")
        else:
            freeze(broker)
        try:
            for _ in range(2):
                began = time.monotonic()
                # A reading is recorded by a command, which the query API sends to a topic.
                answer = await stack.queries.get(f"/results/{number}", headers=token)
                assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
                assert time.monotonic() - began < LIMIT + 3
            posted = await stack.commands.post("/results", json={"patient": "p", "result": "r"}, headers=token)
            assert posted.status_code in (200, 201, 202)

            async with httpx.AsyncClient(timeout=2, verify=False) as client:

                async def relay_is_not_ready() -> bool:
                    answers = [await client.get(f"http://127.0.0.1:{ports[name]}/readyz") for name in PROCESSES]
                    return answers[0].status_code == 503

                await eventually(relay_is_not_ready, 20, "the relay's outage")

                async def reason_is_named() -> bool:
                    said = (await client.get(f"http://127.0.0.1:{ports['relay']}/readyz")).json()["failing"]["work"]
                    return said.startswith("none of ") and "broker" in said

                await eventually(reason_is_named, 30, "the reason of every log's outage")

            code, said, _ = await stack.caudal("status")
            state = "is down" if is_killed else "does not answer"
            assert (code, said.splitlines()[0]) == (2, f"Down: the broker 127.0.0.1:{ports['broker']} {state}.")

            began = time.monotonic()
            for process in processes.values():
                process.terminate()

            async def all_have_ended() -> bool:
                return all(map(has_ended, processes.values()))

            await eventually(all_have_ended, STOP_SECONDS, "the end of every process")
        finally:
            if not is_killed:
                unfreeze(broker)
            unfreeze(stack.process.pid)
        for name in PROCESSES:
            assert "not stopped in time" not in stack.log(name)
