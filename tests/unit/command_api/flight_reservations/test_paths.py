"""The answers of the flight reservations' own paths."""

from uuid import UUID

from aggregates.scenario import FIRST_ID, MIDNIGHT
from command_api.flight_reservations.paths import PATHS, created
from command_api.http.paths import AcceptedCommandPath
from schemas.envelope import Receipt
from schemas.flight_reservations.reservations import CreateReservation
from tests.unit.aggregates.flight_reservations.test_reservations import CREATED, CUSTOMER, FLIGHTS, LINKED

RECEIPT = Receipt(
    command_id=UUID(int=1), stream="reservation-1", version=1, position=7, partition=0, recorded_at=MIDNIGHT, events=("x",)
)


def test_a_new_reservation_is_answered_as_it_was_recorded() -> None:
    answer = created(CreateReservation(customer_id=CUSTOMER, itineraries=FLIGHTS), RECEIPT, [CREATED, LINKED])

    assert (answer["id"], answer["estado"], answer["id_cliente"]) == (str(FIRST_ID), "Pendiente", str(CUSTOMER))
    assert answer["tipo_vuelo"] == ["Ida y vuelta", "Solo ida"]
    assert answer["fecha_creacion"] == answer["fecha_actualizacion"]
    assert len(answer["itinerarios"]) == 2


def test_clients_that_do_not_wait_are_answered_before_the_decision() -> None:
    accepted = {path.path for path in PATHS if isinstance(path, AcceptedCommandPath)}

    assert accepted == {"/vuelos/reserva-comando", "/vuelos/reserva-commando", "/cliente/usuario"}
