"""The flight reservations' topics for other teams."""

from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import FIRST_ID, MIDNIGHT, recorded
from schemas.flight_reservations.clients.outgoing import OUTGOING
from schemas.flight_reservations.customers import CustomerDeactivated
from schemas.message import Event
from tests.unit.aggregates.flight_reservations.test_customers import REGISTERED
from tests.unit.aggregates.flight_reservations.test_reservations import APPROVED, CANCELLED, CREATED, CUSTOMER, PAID


def published(event: Event) -> Any:
    (outgoing,) = (one for one in OUTGOING if one.event is type(event))
    content = outgoing.content(recorded(event))
    assert outgoing.record is not None
    assert isinstance(content, dict)
    assert content.keys() == outgoing.record.fields.keys()
    return content


@pytest.mark.parametrize(
    ("event", "status"), [(CREATED, "PENDIENTE"), (APPROVED, "APROBADA"), (PAID, "PAGADA"), (CANCELLED, "CANCELADA")]
)
def test_all_events_of_a_reservation_have_one_record(event: Event, status: str) -> None:
    assert published(event) == {
        "id_reserva": str(FIRST_ID),
        "id_cliente": str(CUSTOMER),
        "estado": status,
        "fecha_creacion": int(MIDNIGHT.timestamp() * 1000),
    }
    assert published(CREATED.model_copy(update={"customer_id": None}))["id_cliente"] is None


def test_of_a_customer_the_id_alone_is_published() -> None:
    assert published(REGISTERED) == {"id_usuario": str(FIRST_ID), "tipo": "UsuarioRegistrado"}
    gone = published(CustomerDeactivated(customer_id=UUID(int=1)))
    assert gone == {"id_usuario": str(UUID(int=1)), "tipo": "UsuarioDesactivado"}
