"""The gRPC sidecar: a client that is generated from the protocol alone makes and shows reservations."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from deploy.local.ports import LOOPBACK, free_ports
from tests.conftest import eventually
from tests.stack import RunningStack

PROTOCOL = Path(__file__).parents[2] / "schemas" / "flight_reservations"
CLIENT = """
import sys, time
import grpc, vuelos_pb2 as pb, vuelos_pb2_grpc as api
from google.protobuf.timestamp_pb2 import Timestamp

now = Timestamp(); now.GetCurrentTime()
departs = Timestamp(seconds=now.seconds - 7200)
def leg(origin, destination): return pb.Leg(fecha_salida=departs, fecha_llegada=now,
    origen=pb.Locacion(codigo=origin), destino=pb.Locacion(codigo=destination))
def reservation(*legs): return pb.Reserva(itinerarios=[pb.Itinerario(odos=[pb.Odo(segmentos=[pb.Segmento(legs=legs)])])])
vuelos = api.VuelosStub(grpc.insecure_channel(sys.argv[1]))
made = vuelos.CrearReserva(reservation(leg("BOG", "JFK"), leg("JFK", "LAX")), timeout=30)
assert made.mensaje == "OK", made
assert made.reserva.itinerarios[0].odos[0].segmentos[0].legs[0].fecha_llegada.seconds == now.seconds
for _ in range(100):
    found = vuelos.ConsultarReserva(pb.QueryReserva(id=made.reserva.id), timeout=30)
    if found.mensaje == "OK": break
    time.sleep(0.1)
assert found.reserva == made.reserva, found
print(vuelos.CrearReserva(reservation(leg("BOG", "BOG")), timeout=30).mensaje)
print(vuelos.ConsultarReserva(pb.QueryReserva(id="x"), timeout=30).mensaje)
"""


@pytest.fixture
async def address(stack: RunningStack) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "serve", "sidecar", "flight_reservations", "--port", str(port)),
        *("--data-dir", str(stack.data_dir), "--end-with-parent"),
    )

    async def listens() -> bool:
        with suppress(grpc.aio.AioRpcError):
            async with grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel:
                request = health_pb2.HealthCheckRequest(service="vuelos.Vuelos")
                found = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
                return bool(found.status == health_pb2.HealthCheckResponse.SERVING)
        return False

    await eventually(listens, 30, "the sidecar")
    assert {
        one.pid for one in psutil.net_connections("tcp") if one.laddr and one.laddr.port == port and one.status == "LISTEN"
    } == {process.pid}
    yield f"{LOOPBACK}:{port}"
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_client_of_the_protocol_alone_makes_and_shows_a_reservation(address: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{PROTOCOL}",
        f"--python_out={tmp_path}",
        f"--grpc_python_out={tmp_path}",
    ]
    await asyncio.to_thread(subprocess.run, [*command, "vuelos.proto"], check=True)

    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT, address),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await client.communicate()

    assert client.returncode == 0, err.decode()
    assert out.decode().split("\n")[:2] == ["Error: 400", "Error: 404"]


async def test_its_services_are_listed_by_reflection(address: str) -> None:
    def listed() -> Any:
        with grpc.insecure_channel(address) as channel:
            return ProtoReflectionDescriptorDatabase(channel).get_services()

    assert {"vuelos.Vuelos", "grpc.health.v1.Health"} <= set(await asyncio.to_thread(listed))
