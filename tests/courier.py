"""A system of one file whose command is only accepted: a parcel is booked after the answer, or an event says why not."""

from typing import Annotated, Literal
from uuid import UUID

from aggregates.decision import Decision, Events
from aggregates.stream import Stream
from aggregates.system import Domain
from command_api.http.paths import AcceptedCommandPath
from projectors.projection import Projection
from query_api.queries.query import Query
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import COMMAND_ID, Command, Event
from schemas.sensitive import Encrypted, Sensitive
from schemas.system import Context, System
from schemas.view import View


class BookParcel(Command, subject=COMMAND_ID):
    """Books a parcel."""

    address: Annotated[str, Sensitive()]
    kilograms: int


class ParcelBooked(Event):
    """A parcel was booked."""

    booking_id: UUID
    address: Encrypted


class BookingRejected(Event):
    """A parcel was not booked."""

    booking_id: UUID
    reason: str


class Bookings(View, context="parcels", key="booking_id", subject="booking_id"):
    """One booking."""

    booking_id: UUID
    status: Literal["booked", "rejected"] = "booked"
    address: Encrypted = None
    reason: str | None = None


def book(command: CommandEnvelope[BookParcel]) -> Events:
    """Books a parcel that can be carried."""
    if command.data.kilograms > 30:
        yield BookingRejected(booking_id=command.id, reason="it is too heavy")
    else:
        yield ParcelBooked(booking_id=command.id, address=command.data.address)


def booking(row: Bookings, event: RecordedEvent[Event]) -> Bookings:
    """Returns the row after an event."""
    match event.data:
        case ParcelBooked(address=address):
            return row.replace(address=address)
        case BookingRejected(reason=reason):
            return row.replace(status="rejected", reason=reason)
    return row


PARCELS = Context("parcels", commands=(BookParcel,), events=(ParcelBooked, BookingRejected))
SYSTEM = System("courier", (PARCELS,), views=(Bookings,))
DOMAIN = Domain((Decision(BookParcel, Stream("booking").create(), book),))
PROJECTIONS = (Projection(Bookings, booking, events=(ParcelBooked, BookingRejected)),)
PATHS = (AcceptedCommandPath("/bookings", BookParcel, location="/bookings/{command_id}"),)
QUERIES = (Query("/bookings/{booking_id}", Bookings, "One booking.", key="booking_id"),)
