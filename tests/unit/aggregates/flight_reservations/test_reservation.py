"""The aggregate of a reservation, by itself."""

from uuid import UUID

import pytest

from aggregates.flight_reservations.reservation import Reservation
from aggregates.scenario import MIDNIGHT
from schemas.errors import Rejected
from tests.unit.aggregates.flight_reservations.flights import itinerary


def test_it_keeps_its_flights_and_changes_its_status() -> None:
    reservation = Reservation.of(UUID(int=1), None, (itinerary("BOG-JFK", "LAX-MIA"),), (), MIDNIGHT)
    assert (reservation.status, reservation.flight_types) == ("pending", ("open_jaw",))

    reservation.approve()
    reservation.pay()

    assert reservation.status == "paid"
    assert [type(one).__name__ for one in reservation.collect_events()] == ["Created", "Approved", "Paid"]
    with pytest.raises(Rejected, match="La reserva está pagada"):
        reservation.cancel()
    assert reservation.collect_events() == []
