"""The gRPC services and the live page of the flight reservations."""

from pathlib import Path

from deploy.pages.live_page import LivePage
from deploy.serving.grpc_service import GrpcService
from schemas.flight_reservations.clients.outgoing import EVENTS, REJECTIONS
from schemas.flight_reservations.reservations import OFFICERS

GRPC = (GrpcService("vuelos.Vuelos", "flight_reservations", "deploy.flight_reservations.sidecar"),)
PAGES = (
    LivePage(
        "flight_reservations",
        5678,
        Path(__file__).parent / "page",
        topics=(EVENTS, REJECTIONS),
        access=OFFICERS,
        posts=("/vuelos/reserva-comando",),
    ),
)
