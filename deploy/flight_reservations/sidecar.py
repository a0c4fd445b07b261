"""Reservations over gRPC: each call is one of the gateway, in the form that the clients of the protocol know."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import uuid4

import grpc
import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.flight_reservations.vuelos_pb2 import (
    Itinerario,
    Leg,
    Locacion,
    Odo,
    QueryReserva,
    Reserva,
    RespuestaReserva,
    Segmento,
)
from deploy.flight_reservations.vuelos_pb2_grpc import VuelosServicer, add_VuelosServicer_to_server
from schemas.flight_reservations.clients.spanish import fecha_of, time_of
from schemas.values.literals import read_uuid

_PATH = "/vuelos/reserva"
_PASSED_ON = ("authorization", "idempotency-key", "traceparent")


class Vuelos(VuelosServicer):
    """Makes and shows reservations.

    An error of the gateway is the text ``Error: `` with its HTTP status, and no status of gRPC. ``UNAVAILABLE`` means that the
    call was not sent, because the gateway is out of reach; ``UNKNOWN`` that it was, and no answer came. The metadata
    ``authorization``, ``idempotency-key`` and ``traceparent`` of a call are headers of the request.
    """

    def __init__(self, gateway: httpx.AsyncClient) -> None:
        self._gateway = gateway

    async def CrearReserva(self, request: Reserva, context: grpc.aio.ServicerContext) -> RespuestaReserva:  # noqa: N802
        """Makes a reservation."""
        try:
            body = {"itinerarios": [_itinerary(one) for one in request.itinerarios]}
        except (ValueError, OverflowError):  # a time that no calendar has
            return RespuestaReserva(mensaje="Error: 400")
        return await self._answer(context, "POST", _PATH, json=body)

    async def ConsultarReserva(self, request: QueryReserva, context: grpc.aio.ServicerContext) -> RespuestaReserva:  # noqa: N802
        """Shows a reservation."""
        try:
            id = read_uuid(request.id)
        except ValueError:
            return RespuestaReserva(mensaje="Error: 404")
        return await self._answer(context, "GET", f"{_PATH}/{id}")

    async def _answer(self, context: grpc.aio.ServicerContext, method: str, path: str, **more: Any) -> RespuestaReserva:
        given = dict(context.invocation_metadata() or ())
        headers = {name: str(given[name]) for name in _PASSED_ON if name in given}
        if method == "POST":
            headers.setdefault("idempotency-key", f"sidecar-{uuid4().hex}")
        try:
            answer = await self._gateway.request(method, path, headers=headers, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"the gateway is out of reach: {type(error).__name__}")
        except httpx.HTTPError as error:
            await context.abort(grpc.StatusCode.UNKNOWN, f"the gateway did not answer: {type(error).__name__}")
        if answer.status_code != httpx.codes.OK:
            return RespuestaReserva(mensaje=f"Error: {answer.status_code}")
        return RespuestaReserva(mensaje="OK", reserva=_reservation(answer.json()))


def add(gateway: httpx.AsyncClient, server: grpc.aio.Server) -> None:
    """Adds the service to a server."""
    add_VuelosServicer_to_server(Vuelos(gateway), server)  # type: ignore[no-untyped-call]


def _itinerary(itinerario: Itinerario) -> dict[str, Any]:
    return {
        "odos": [{"segmentos": [{"legs": [_leg(leg) for leg in one.legs]} for one in odo.segmentos]} for odo in itinerario.odos]
    }


def _leg(leg: Leg) -> dict[str, Any]:
    times = {
        name: fecha_of(getattr(leg, name).ToDatetime(UTC)) for name in ("fecha_salida", "fecha_llegada") if leg.HasField(name)
    }
    return {
        **times,
        "origen": {"codigo": leg.origen.codigo, "nombre": leg.origen.nombre},
        "destino": {"codigo": leg.destino.codigo, "nombre": leg.destino.nombre},
    }


def _reservation(shown: Mapping[str, Any]) -> Reserva:
    return Reserva(
        id=shown["id"],
        fecha_creacion=_timestamp(shown["fecha_creacion"]),
        fecha_actualizacion=_timestamp(shown["fecha_actualizacion"]),
        itinerarios=[
            Itinerario(odos=[Odo(segmentos=[_segment(one) for one in odo["segmentos"]]) for odo in itinerary["odos"]])
            for itinerary in shown["itinerarios"]
        ],
    )


def _segment(shown: Mapping[str, Any]) -> Segmento:
    return Segmento(
        legs=[
            Leg(
                fecha_salida=_timestamp(leg["fecha_salida"]),
                fecha_llegada=_timestamp(leg["fecha_llegada"]),
                origen=Locacion(codigo=leg["origen"]["codigo"], nombre=leg["origen"]["nombre"]),
                destino=Locacion(codigo=leg["destino"]["codigo"], nombre=leg["destino"]["nombre"]),
            )
            for leg in shown["legs"]
        ]
    )


def _timestamp(fecha: str) -> Timestamp:
    found, time = Timestamp(), time_of(fecha)
    found.FromDatetime(time)
    return found
