"""Reservations: recorded with the customer's list as one unit, or rejected; approved, paid and cancelled in their order."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from aggregates.flight_reservations.reservations import DECISIONS
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from schemas.flight_reservations.reservations import (
    NO_ITINERARY,
    ApproveReservation,
    CancelReservation,
    CreateReservation,
    PayReservation,
    RequestReservation,
    ReservationApproved,
    ReservationCancelled,
    ReservationCreated,
    ReservationLinked,
    ReservationPaid,
    ReservationRejected,
)
from schemas.message import Command, Event
from tests.unit.aggregates.flight_reservations.flights import itinerary

CUSTOMER = UUID(int=5)
OF = {"reservation_id": FIRST_ID, "customer_id": CUSTOMER}
FLIGHTS = (itinerary("BOG-JFK", "JFK-BOG"), itinerary("BOG-LAX"))
CREATED = ReservationCreated(
    **OF, itineraries=FLIGHTS, passengers=(), flight_types=("round_trip", "one_way"), created_at=MIDNIGHT
)
APPROVED = ReservationApproved(**OF, created_at=MIDNIGHT)
PAID = ReservationPaid(**OF, created_at=MIDNIGHT)
CANCELLED = ReservationCancelled(**OF, created_at=MIDNIGHT)
LINKED = ReservationLinked(customer_id=CUSTOMER, reservation_id=FIRST_ID)
ID = {"reservation_id": FIRST_ID}


@pytest.mark.parametrize("command", [CreateReservation, RequestReservation])
def test_a_reservation_and_its_customers_list_are_recorded_together(command: type[CreateReservation]) -> None:
    scenario = Scenario(DECISIONS).when(command(customer_id=CUSTOMER, itineraries=FLIGHTS)).then(CREATED, LINKED)

    assert scenario.streams == (f"reservation-{FIRST_ID}", f"customerreservations-{CUSTOMER}")


@pytest.mark.parametrize("command", [CreateReservation, RequestReservation])
def test_a_reservation_without_a_customer_is_on_no_list(command: type[CreateReservation]) -> None:
    nobody = CREATED.model_copy(update={"customer_id": None})

    Scenario(DECISIONS).when(command(itineraries=FLIGHTS)).then(nobody)


def test_a_broken_rule_rejects_a_command_and_is_recorded_for_a_client_who_does_not_wait() -> None:
    Scenario(DECISIONS).when(CreateReservation(itineraries=())).then_rejected(containing=NO_ITINERARY)
    rejected = ReservationRejected(reservation_id=FIRST_ID, customer_id=None, reason=NO_ITINERARY)
    scenario = Scenario(DECISIONS).when(RequestReservation(itineraries=())).then(rejected)
    assert scenario.streams == (f"reservationrequest-{FIRST_ID}",)


@pytest.mark.parametrize(
    ("before", "command", "event"),
    [
        ((), ApproveReservation(**ID), APPROVED),
        ((), CancelReservation(**ID), CANCELLED),
        ((APPROVED,), PayReservation(**ID), PAID),
        ((APPROVED,), CancelReservation(**ID), CANCELLED),
    ],
)
def test_a_reservation_goes_from_status_to_status(before: tuple[Event, ...], command: Command, event: Event) -> None:
    Scenario(DECISIONS).given(f"reservation-{FIRST_ID}", CREATED, *before).when(command).then(event)


@pytest.mark.parametrize(
    ("before", "command", "why"),
    [
        ((), PayReservation(**ID), "La reserva está pendiente"),
        ((APPROVED,), ApproveReservation(**ID), "La reserva está aprobada"),
        ((APPROVED, PAID), CancelReservation(**ID), "La reserva está pagada"),
        ((CANCELLED,), PayReservation(**ID), "La reserva está cancelada"),
    ],
)
def test_a_status_rejects_what_does_not_follow(before: tuple[Event, ...], command: Command, why: str) -> None:
    Scenario(DECISIONS).given(f"reservation-{FIRST_ID}", CREATED, *before).when(command).then_rejected(containing=why)


def test_what_is_not_there_is_not_changed() -> None:
    Scenario(DECISIONS).when(ApproveReservation(**ID)).then_rejected(containing="there is no reservation")


def test_a_reservation_has_so_many_legs_at_most() -> None:
    one = itinerary(" ".join(["BOG-JFK"] * 20))

    assert CreateReservation(itineraries=(one,) * 5).itineraries == (one,) * 5
    with pytest.raises(ValidationError, match="debe tener como máximo 100 vuelos"):
        CreateReservation(itineraries=(one,) * 6)
