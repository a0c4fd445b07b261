"""Commands that are only accepted, on a whole stack: their outcome, their secrets, and a broker that is down."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.conftest import eventually
from tests.frozen import freeze, unfreeze
from tests.own_package import installed
from tests.stack import RunningStack, caudal, running_stack

ADDRESS = "Calle Plaintexto 7"


async def test_an_accepted_command_is_handled_once_and_kept_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {
        **installed("courier", tmp_path / "packages"),
        "CAUDAL_SYSTEMS": "courier",
        "CAUDAL_BROKER_TIMEOUT_SECONDS": "2",
    }
    data = tmp_path / "data"
    monkeypatch.syspath_prepend(tmp_path / "packages")
    async with running_stack("--data-dir", str(data), environment=environment) as stack:
        accepted = await booked(stack, 5, "first")
        assert (accepted.status_code, accepted.json()) == (202, {})
        first = await outcome(stack, accepted)
        row = {"status": "booked", "address": ADDRESS, "reason": None}
        assert first == {"booking_id": accepted.headers["Command-Id"], **row}
        heavy = await outcome(stack, await booked(stack, 31, "heavy"))
        assert (heavy["status"], heavy["reason"]) == ("rejected", "it is too heavy")

        again = await booked(stack, 5, "first")
        other = await booked(stack, 6, "first")
        assert (again.headers["Command-Id"], again.headers["Idempotent-Replayed"]) == (accepted.headers["Command-Id"], "true")
        assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")
        records = await sent(stack)
        assert [dict(record.headers)["ce_type"] for record in records] == [b"courier.book-parcel"] * 2
        assert {record.key for record in records} == {f"booking-{row['booking_id']}".encode() for row in (first, heavy)}
        assert all(b'"address":"encrypted:1:' in record.value for record in records)
        logs = "".join(path.read_text(errors="replace") for path in (data / "logs").iterdir())
        assert ADDRESS not in logs

        await assert_it_is_sent_again_after_an_outage(stack)
        code, out, err = await caudal("verify", "--data-dir", str(data), environment=environment)
        assert code == 0, out + err


async def assert_it_is_sent_again_after_an_outage(stack: RunningStack) -> None:
    """Without a broker a command is not accepted; sent again under the same key, it is handled once."""
    freeze(stack.process.pid)  # nobody starts the broker again
    stack.kill("broker")
    try:
        unavailable = await booked(stack, 7, "outage")
        assert (unavailable.status_code, unavailable.headers["Retry-After"]) == (503, "1")
        assert "Command-Id" not in unavailable.headers
    finally:
        unfreeze(stack.process.pid)

    async def is_accepted() -> bool:
        return (await booked(stack, 7, "outage")).status_code == 202

    await eventually(is_accepted, 60, "the broker")
    accepted = await booked(stack, 7, "outage")
    assert (await outcome(stack, accepted))["status"] == "booked"
    assert await stack.fetch("select count(*) from courier__parcels.events") == [{"count": 3}]


async def booked(stack: RunningStack, kilograms: int, key: str) -> httpx.Response:
    body = {"address": ADDRESS, "kilograms": kilograms}
    return await stack.commands.post("/bookings", json=body, headers={"Idempotency-Key": key})


async def outcome(stack: RunningStack, accepted: httpx.Response) -> dict[str, Any]:
    """The row that the answer's address leads to, once it is there."""
    found: dict[str, Any] = {}

    async def is_shown() -> bool:
        answer = await stack.queries.get(accepted.headers["Location"])
        found.update(answer.json())
        return answer.status_code == 200

    await eventually(is_shown, 30, "the outcome")
    return {name: found[name] for name in ("booking_id", "status", "address", "reason")}


async def sent(stack: RunningStack) -> list[Any]:
    """The records of the commands topic."""
    catalog = installed_catalog(stack.endpoints["systems"])
    (context,) = (name for name in catalog.contexts if name.system == "courier")
    topic = Topics(Settings(), catalog).commands(context)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=stack.endpoints["brokers"], auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [one for batch in (await consumer.getmany(timeout_ms=3000)).values() for one in batch]
    finally:
        await consumer.stop()
