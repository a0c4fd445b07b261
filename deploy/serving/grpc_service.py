"""The declaration of a gRPC service: ``GRPC`` in a system's package of this room is a tuple of these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrpcService:
    """A service of a system, beside its gateway."""

    name: str
    """Its full name in the protocol, such as ``shop.Orders``."""
    gateway: str
    """The name of the gateway that it calls."""
    module: str
    """The module whose function ``add(gateway, server)`` adds the service, which calls that gateway through the HTTP client
    ``gateway``, to a server. It is imported by the sidecar alone: it needs the extra ``grpc``."""
