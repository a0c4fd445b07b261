"""A reservation: an aggregate of the package `eventsourcing`."""

from datetime import datetime
from uuid import UUID

from eventsourcing.domain import Aggregate, event

from aggregates.flight_reservations.itineraries import check, flight_type_of
from schemas.errors import Rejected
from schemas.flight_reservations.clients.spanish import STATUSES
from schemas.flight_reservations.parts import FlightType, Itinerary, Passenger
from schemas.flight_reservations.reservations import Status


class Reservation(Aggregate):
    """Flights that a customer reserved: pending, then approved and paid, or cancelled."""

    def __init__(
        self,
        id: UUID,
        customer_id: UUID | None,
        itineraries: tuple[Itinerary, ...],
        passengers: tuple[Passenger, ...],
        flight_types: tuple[FlightType, ...],
        created_at: datetime,
    ) -> None:
        self.customer_id, self.created_at = customer_id, created_at
        self.itineraries, self.passengers, self.flight_types = itineraries, passengers, flight_types
        self.status: Status = "pending"

    @classmethod
    def of(
        cls,
        id: UUID,
        customer_id: UUID | None,
        itineraries: tuple[Itinerary, ...],
        passengers: tuple[Passenger, ...],
        created_at: datetime,
    ) -> "Reservation":
        """Returns a new reservation; raises `Rejected` if it breaks a rule."""
        check(itineraries, passengers)
        return cls(id, customer_id, itineraries, passengers, tuple(map(flight_type_of, itineraries)), created_at)

    def approve(self) -> None:
        """Approves it; raises `Rejected` unless it is pending."""
        self._must_be("pending")
        self.become_approved(self.customer_id, self.created_at)

    def pay(self) -> None:
        """Records its payment; raises `Rejected` unless it is approved."""
        self._must_be("approved")
        self.become_paid(self.customer_id, self.created_at)

    def cancel(self) -> None:
        """Cancels it; raises `Rejected` if it is paid or cancelled."""
        self._must_be("pending", "approved")
        self.become_cancelled(self.customer_id, self.created_at)

    @event("Approved")
    def become_approved(self, customer_id: UUID | None, created_at: datetime) -> None:
        self.status = "approved"

    @event("Paid")
    def become_paid(self, customer_id: UUID | None, created_at: datetime) -> None:
        self.status = "paid"

    @event("Cancelled")
    def become_cancelled(self, customer_id: UUID | None, created_at: datetime) -> None:
        self.status = "cancelled"

    def _must_be(self, *allowed: Status) -> None:
        if self.status not in allowed:
            raise Rejected(f"La reserva está {STATUSES[self.status].lower()}")
