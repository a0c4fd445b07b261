"""The gRPC services of the flight reservations."""

from deploy.flight_reservations.sidecar import Vuelos
from deploy.flight_reservations.vuelos_pb2_grpc import add_VuelosServicer_to_server
from deploy.serving.grpc_service import GrpcService

GRPC = (GrpcService("vuelos.Vuelos", "flight_reservations", Vuelos, add_VuelosServicer_to_server),)
