"""The body of a test notification."""

import pytest
from pydantic import ValidationError

from command_api.health_subscriptions.bodies.notifications import EventoDePrueba, receive
from schemas.health_subscriptions.notifications import ReceiveEvent


def test_a_test_notification_has_its_event() -> None:
    assert receive(EventoDePrueba(event="hola"), {}) == ReceiveEvent(text="hola")
    with pytest.raises(ValidationError):
        EventoDePrueba(event="")
