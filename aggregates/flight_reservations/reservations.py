"""Reservations: the decisions on the aggregate, and the customers' lists that are recorded with it as one unit."""

from typing import Any

from aggregates.aggregate_stream import AggregateState, AggregateStream
from aggregates.decision import Decision, Decisions, Events
from aggregates.flight_reservations.reservation import Reservation
from aggregates.state import NoState
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.flight_reservations.reservations import (
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

RESERVATION = AggregateStream(
    "reservation",
    Reservation,
    {
        ReservationCreated: "Created",
        ReservationApproved: "Approved",
        ReservationPaid: "Paid",
        ReservationCancelled: "Cancelled",
    },
    id_field="reservation_id",
)
REQUEST = Stream("reservationrequest")
OF_CUSTOMER = Stream("customerreservations")


def _customer(command: CommandEnvelope[CreateReservation]) -> str | None:
    return None if command.data.customer_id is None else str(command.data.customer_id)


_LIST, _REJECTED = OF_CUSTOMER.create_or_change(_customer), REQUEST.create()


def create(command: CommandEnvelope[CreateReservation], _: NoState) -> Events:
    """Reserves flights, and adds them to the customer's list in the same append; raises `Rejected` for a broken rule."""
    data = command.data
    reservation = Reservation.of(command.id, data.customer_id, data.itineraries, data.passengers, command.at)
    yield from RESERVATION.recorded(reservation)
    if data.customer_id is not None:
        yield _LIST.records(ReservationLinked(customer_id=data.customer_id, reservation_id=command.id))


def request(command: CommandEnvelope[RequestReservation], of_customer: NoState) -> Events:
    """Does the same, and records a broken rule as a rejection."""
    try:
        yield from create(command, of_customer)
    except Rejected as rejected:
        rejection = ReservationRejected(reservation_id=command.id, customer_id=command.data.customer_id, reason=rejected.detail)
        yield _REJECTED.records(rejection)


def approve(command: CommandEnvelope[ApproveReservation], state: AggregateState) -> Events:
    """Approves a pending reservation."""
    reservation = RESERVATION.aggregate(state)
    reservation.approve()
    return RESERVATION.recorded(reservation)


def pay(command: CommandEnvelope[PayReservation], state: AggregateState) -> Events:
    """Records the payment of an approved reservation."""
    reservation = RESERVATION.aggregate(state)
    reservation.pay()
    return RESERVATION.recorded(reservation)


def cancel(command: CommandEnvelope[CancelReservation], state: AggregateState) -> Events:
    """Cancels a reservation that is not paid."""
    reservation = RESERVATION.aggregate(state)
    reservation.cancel()
    return RESERVATION.recorded(reservation)


_CHANGED: Any = RESERVATION.change("reservation_id")
DECISIONS: Decisions = (
    Decision(CreateReservation, RESERVATION.create(), create, writes=(_LIST,)),
    Decision(RequestReservation, RESERVATION.create(), request, writes=(_LIST, _REJECTED)),
    Decision(ApproveReservation, _CHANGED, approve),
    Decision(PayReservation, _CHANGED, pay),
    Decision(CancelReservation, _CHANGED, cancel),
)
