"""The body of a test notification."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import StringConstraints

from command_api.health_subscriptions.bodies.body import Cuerpo
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.message import Command


class EventoDePrueba(Cuerpo):
    """Un evento de prueba."""

    event: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


def receive(cuerpo: EventoDePrueba, _: Mapping[str, str]) -> Command:
    return ReceiveEvent(text=cuerpo.event)
