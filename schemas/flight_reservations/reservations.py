"""Reservations of flights: requested, approved, paid or cancelled."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from schemas.access import Access
from schemas.flight_reservations.parts import FlightType, Itinerary, Passenger
from schemas.message import Command, Event
from schemas.values.stated import Stated

Status = Literal["pending", "approved", "paid", "cancelled", "rejected"]
OFFICERS = Access.to("reservations_officer", open_in_seed=True)
"""May approve and cancel, and record payments; its clients send no token in the profile for trying."""

NO_ITINERARY = "La lista de itinerarios debe tener al menos un itinerario"
WRONG_ROUTE = "La ruta propuesta es incorrecta"
NO_ADULT = "Al menos un adulto debe ser parte del itinerario"
TOO_MANY_LEGS = "debe tener como máximo"
ARRIVES_TOO_EARLY = "La fecha de llegada es anterior a la de salida"

MAX_LEGS = 100


def _with_few_legs(itineraries: tuple[Itinerary, ...]) -> tuple[Itinerary, ...]:
    legs = sum(len(segment.legs) for one in itineraries for journey in one.journeys for segment in journey.segments)
    if legs > MAX_LEGS:
        raise ValueError(f"{TOO_MANY_LEGS} {MAX_LEGS} vuelos")
    return itineraries


Itineraries = Annotated[
    tuple[Itinerary, ...], Field(max_length=20), AfterValidator(_with_few_legs), Stated(rules=(TOO_MANY_LEGS,))
]
Passengers = Annotated[tuple[Passenger, ...], Field(max_length=100)]


class CreateReservation(Command):
    """Reserves flights; the reservation has the command's id."""

    customer_id: UUID | None = None
    itineraries: Itineraries
    passengers: Passengers = ()


class RequestReservation(CreateReservation):
    """Reserves flights for a client who does not wait: a rule that it breaks is recorded as a rejection."""


class ApproveReservation(Command, access=OFFICERS):
    """Approves a pending reservation."""

    reservation_id: UUID


class PayReservation(Command, access=OFFICERS):
    """Records that an approved reservation was paid."""

    reservation_id: UUID


class CancelReservation(Command, access=OFFICERS):
    """Cancels a reservation that is pending or approved. Why is not recorded: it may hold what is private to a person."""

    reservation_id: UUID


class ReservationCreated(Event):
    """Flights were reserved."""

    reservation_id: UUID
    customer_id: UUID | None
    itineraries: tuple[Itinerary, ...]
    passengers: tuple[Passenger, ...]
    flight_types: tuple[FlightType, ...] = Field(description="One for each itinerary.")
    created_at: datetime


class ReservationApproved(Event):
    """A reservation was approved."""

    reservation_id: UUID
    customer_id: UUID | None
    created_at: datetime


class ReservationPaid(Event):
    """A reservation was paid."""

    reservation_id: UUID
    customer_id: UUID | None
    created_at: datetime


class ReservationCancelled(Event):
    """A reservation was cancelled."""

    reservation_id: UUID
    customer_id: UUID | None
    created_at: datetime


class ReservationRejected(Event):
    """A request broke a rule: nothing was reserved."""

    reservation_id: UUID
    customer_id: UUID | None
    reason: str


class ReservationLinked(Event):
    """A customer got a further reservation; it is recorded together with the reservation."""

    customer_id: UUID
    reservation_id: UUID


COMMANDS = (CreateReservation, RequestReservation, ApproveReservation, PayReservation, CancelReservation)
EVENTS = (
    ReservationCreated,
    ReservationApproved,
    ReservationPaid,
    ReservationCancelled,
    ReservationRejected,
    ReservationLinked,
)
