"""The sidecar: the gRPC services of systems, with health (grpc.health.v1) and reflection. It needs no database."""

from collections.abc import Sequence
from importlib import import_module

import grpc
import httpx
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from deploy.gateway.addresses import addresses_of
from deploy.serving.grpc_service import GrpcService
from deploy.serving.shutdown import stopping_event
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from streams.discovery import declared_rows, installed_catalog
from streams.settings import Settings

DEFAULT_PORT = 50051
_GRACE_SECONDS = 2.0
_log = structlog.get_logger()


async def serve_sidecar(systems: Sequence[str], settings: Settings, host: str, port: int) -> None:
    """Serves the gRPC services of systems, of all without names; returns after SIGTERM or SIGINT.

    Raises `Misconfigured` if a system has no service, or the port is taken.
    """
    catalog = installed_catalog(settings.systems)
    services = wanted_services(systems, catalog)
    addresses = addresses_of(settings, catalog)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])  # a taken port is an error
    states = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    clients = [httpx.AsyncClient(base_url=addresses[one.gateway], timeout=settings.gateway_timeout_seconds) for one in services]
    try:
        for one, client in zip(services, clients, strict=True):
            import_module(one.module).add(client, server)
            await states.set(one.name, health_pb2.HealthCheckResponse.SERVING)
        names = [one.name for one in services]
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = server.add_insecure_port(address)
        except RuntimeError as error:
            raise Misconfigured(f"the sidecar cannot listen on {address}: is the port taken?") from error
        await server.start()
        _log.info(
            "sidecar listens", address=f"{host}:{bound}", services=names, gateways=[addresses[one.gateway] for one in services]
        )
        await stopping_event().wait()
        await states.enter_graceful_shutdown()
        await server.stop(_GRACE_SECONDS)
    finally:
        for client in clients:
            await client.aclose()


def wanted_services(systems: Sequence[str], catalog: Catalog) -> list[GrpcService]:
    """Returns the services of systems, or of all systems that have some; raises `Misconfigured` for one that has none."""
    declared = declared_rows(catalog, "deploy", "GRPC")
    if unknown := sorted(set(systems) - declared.keys()):
        known = ", ".join(sorted(declared)) or "none"
        raise Misconfigured(f"{unknown[0]} has no gRPC service; systems that have some: {known}")
    found = [one for system, services in sorted(declared.items()) for one in services if not systems or system in systems]
    if not found:
        raise Misconfigured("no installed system has a gRPC service")
    return found
