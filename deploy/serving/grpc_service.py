"""The declaration of a gRPC service: ``GRPC`` in a system's package of this room is a tuple of these."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class GrpcService:
    """A service of a system, beside its gateway."""

    name: str
    """Its full name in the protocol, such as ``shop.Orders``."""
    gateway: str
    """The name of the gateway that it calls."""
    make: Callable[[httpx.AsyncClient], Any]
    """Makes its servicer of a client of that gateway."""
    add: Callable[[Any, Any], None]
    """Adds the servicer to a server; it is generated from the protocol."""
