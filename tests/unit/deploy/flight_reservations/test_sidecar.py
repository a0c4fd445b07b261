"""Reservations over gRPC: what the gateway is asked, and what of its answers the clients of the protocol get."""

from datetime import UTC, datetime
from typing import Any

import grpc
import httpx
import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from aggregates.scenario import FIRST_ID, MIDNIGHT
from deploy.flight_reservations.sidecar import Vuelos
from deploy.flight_reservations.vuelos_pb2 import Itinerario, Leg, Locacion, Odo, QueryReserva, Reserva, Segmento
from schemas.flight_reservations.clients.reservations_in_spanish import shown
from tests.unit.aggregates.flight_reservations.flights import itinerary

NOON = datetime(2022, 11, 22, 12, tzinfo=UTC)
SHOWN = shown(FIRST_ID, None, "pending", None, [itinerary("BOG-JFK")], ["one_way"], MIDNIGHT, MIDNIGHT).model_dump(mode="json")


class Context:
    """The context of a call; it remembers the status with which the call was aborted."""

    status: Any = None

    def __init__(self, **metadata: str) -> None:
        self._metadata = tuple((name.replace("_", "-"), value) for name, value in metadata.items())

    def invocation_metadata(self) -> Any:
        return self._metadata

    async def abort(self, status: Any, detail: str) -> None:
        self.status = status
        raise grpc.aio.AbortError(detail)


class Gateway:
    """Answers each request, and keeps it."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        self._status = status

    def servicer(self) -> Vuelos:
        return Vuelos(httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://gateway"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._status == 0:
            raise httpx.ConnectError("gone")
        if self._status == 1:
            raise httpx.ReadTimeout("too late")
        return httpx.Response(self._status, json=SHOWN if self._status == 200 else {"error": "x"})


def reservation(seconds: int = 0, nanos: int = 0) -> Reserva:
    departs, arrives = Timestamp(), Timestamp(seconds=int(NOON.timestamp()) + seconds, nanos=nanos)
    departs.FromDatetime(NOON)
    leg = Leg(
        fecha_salida=departs,
        fecha_llegada=arrives,
        origen=Locacion(codigo="BOG", nombre="Bog"),
        destino=Locacion(codigo="JFK", nombre="K"),
    )
    return Reserva(itinerarios=[Itinerario(odos=[Odo(segmentos=[Segmento(legs=[leg])])])])


async def test_a_reservation_is_made_with_times_to_the_second() -> None:
    gateway = Gateway()

    answer = await gateway.servicer().CrearReserva(reservation(7200, nanos=999_999_999), Context())

    (request,) = gateway.requests
    leg = orjson.loads(request.content)["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]
    assert (request.method, request.url.path) == ("POST", "/vuelos/reserva")
    assert (leg["fecha_salida"], leg["fecha_llegada"]) == ("2022-11-22T12:00:00Z", "2022-11-22T14:00:00Z")
    assert (leg["origen"], leg["destino"]["codigo"]) == ({"codigo": "BOG", "nombre": "Bog"}, "JFK")
    assert (answer.mensaje, answer.reserva.id) == ("OK", str(FIRST_ID))
    made = answer.reserva.itinerarios[0].odos[0].segmentos[0].legs[0]
    assert made.fecha_salida.ToDatetime(UTC) == NOON
    assert (made.origen.codigo, made.destino.codigo) == ("BOG", "JFK")
    assert answer.reserva.fecha_creacion.ToDatetime(UTC) == MIDNIGHT


async def test_a_reservation_is_shown_by_its_id() -> None:
    gateway = Gateway()

    answer = await gateway.servicer().ConsultarReserva(QueryReserva(id=str(FIRST_ID)), Context())

    assert [(one.method, one.url.path) for one in gateway.requests] == [("GET", f"/vuelos/reserva/{FIRST_ID}")]
    assert (answer.mensaje, answer.reserva.id) == ("OK", str(FIRST_ID))


@pytest.mark.parametrize("id", ["", "a/b", "..", "ñ?#"])
async def test_what_is_no_id_is_not_asked_for(id: str) -> None:
    gateway = Gateway()

    answer = await gateway.servicer().ConsultarReserva(QueryReserva(id=id), Context())

    assert (answer.mensaje, gateway.requests) == ("Error: 404", [])


@pytest.mark.parametrize("status", [400, 404, 503])
async def test_an_error_of_the_gateway_is_a_text(status: int) -> None:
    servicer = Gateway(status).servicer()

    for answer in (
        await servicer.CrearReserva(reservation(), Context()),
        await servicer.ConsultarReserva(QueryReserva(id=str(FIRST_ID)), Context()),
    ):
        assert (answer.mensaje, answer.HasField("reserva")) == (f"Error: {status}", False)


async def test_a_time_that_no_calendar_has_is_an_error() -> None:
    gateway = Gateway()

    answer = await gateway.servicer().CrearReserva(reservation(10**15), Context())

    assert (answer.mensaje, gateway.requests) == ("Error: 400", [])


@pytest.mark.parametrize(("fault", "status"), [(0, grpc.StatusCode.UNAVAILABLE), (1, grpc.StatusCode.UNKNOWN)])
async def test_only_a_call_that_was_not_sent_is_unavailable(fault: int, status: grpc.StatusCode) -> None:
    context = Context()

    with pytest.raises(grpc.aio.AbortError):
        await Gateway(fault).servicer().CrearReserva(reservation(), context)
    assert context.status is status


async def test_the_token_and_the_key_of_a_call_are_passed_on_and_each_has_a_key() -> None:
    gateway = Gateway()

    await gateway.servicer().CrearReserva(reservation(), Context(authorization="Bearer x", idempotency_key="k", other="y"))
    for _ in range(2):
        await gateway.servicer().CrearReserva(reservation(), Context())

    first, *others = (one.headers for one in gateway.requests)
    assert (first["authorization"], first["idempotency-key"], "other" in first) == ("Bearer x", "k", False)
    assert len({one["idempotency-key"] for one in others}) == 2


async def test_a_leg_without_times_is_sent_without_them() -> None:
    gateway, timeless = Gateway(400), reservation()
    timeless.itinerarios[0].odos[0].segmentos[0].legs[0].ClearField("fecha_salida")

    await gateway.servicer().CrearReserva(timeless, Context())

    leg = orjson.loads(gateway.requests[0].content)["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]
    assert "fecha_salida" not in leg
    assert "fecha_llegada" in leg
