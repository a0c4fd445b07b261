"""The reservations that other teams request by topic."""

from uuid import UUID

import pytest

from schemas.flight_reservations.clients.incoming import INCOMING, request_of
from schemas.flight_reservations.reservations import RequestReservation
from tests.unit.aggregates.flight_reservations.flights import itinerary
from tests.unit.schemas.flight_reservations.clients.test_itineraries import GIVEN


def test_a_record_makes_a_request() -> None:
    user = UUID(int=7)
    expected = RequestReservation(customer_id=user, itineraries=(itinerary("BOG-JFK"),))

    assert request_of({"id_usuario": str(user), "itinerarios": [GIVEN]}) == expected
    assert request_of({"id_usuario": None, "itinerarios": []}) == RequestReservation(itineraries=())


@pytest.mark.parametrize(
    "data", [{"id_usuario": str(UUID(int=7)), "itinerarios": None}, {"id_usuario": "x", "itinerarios": []}]
)
def test_a_record_that_names_no_flights_or_no_user_is_no_request(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"itinerarios|UUID|badly formed"):
        request_of(data)


def test_both_names_of_the_topic_are_read() -> None:
    assert [one.topic for one in INCOMING] == ["comandos-reserva", "comandos-reservas"]
