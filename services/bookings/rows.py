"""A booking's row: its states, and the order in which it is locked.

Whoever changes a booking locks in one order: the idempotency key, the hold's claims by (slot, unit), the hold, the
booking, its payment, its refund or quote, its tickets, and pools last, because a counter that is locked early makes a
hot flight wait. Steps that leave the hold alone begin with the booking. The booking's row is also what puts the facts
of its stream in order, so it is locked before any of them is written.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from core.db import ReadSession
from core.detached import Detached
from core.errors import NotFound
from core.rows import Keeper, Reader, Scribe
from core.states import Machine
from models import Amendment, AmendmentStatus, Booking, BookingStatus
from services import notices, outbox, transitions
from services.holds import Locked
from services.holds.kept import HOLDS
from services.holds.locks import locking, moment_after
from services.transitions import Cause, Change

BOOKING = Machine(
    "booking",
    BookingStatus,
    BookingStatus.INITIATED,
    {
        BookingStatus.INITIATED: frozenset({BookingStatus.SEATS_LOCKED}),
        BookingStatus.SEATS_LOCKED: frozenset(
            {BookingStatus.PAYMENT_PENDING, BookingStatus.EXPIRED, BookingStatus.CANCELLED}
        ),
        BookingStatus.PAYMENT_PENDING: frozenset(
            {
                BookingStatus.SEATS_LOCKED,
                BookingStatus.CONFIRMED,
                BookingStatus.EXPIRED,
                BookingStatus.FAILED,
            }
        ),
        BookingStatus.CONFIRMED: frozenset({BookingStatus.CHECKED_IN, BookingStatus.CANCELLED, BookingStatus.NO_SHOW}),
        BookingStatus.CHECKED_IN: frozenset({BookingStatus.COMPLETED}),
        BookingStatus.COMPLETED: frozenset(),
        BookingStatus.EXPIRED: frozenset(),
        BookingStatus.FAILED: frozenset(),
        BookingStatus.CANCELLED: frozenset(),
        BookingStatus.NO_SHOW: frozenset(),
    },
)
"""SEATS_LOCKED follows PAYMENT_PENDING when a payment is declined: the seats are kept, and it may be tried again."""

FACTS = {
    BookingStatus.INITIATED: "booking.created",
    BookingStatus.SEATS_LOCKED: "booking.seats_locked",
    BookingStatus.PAYMENT_PENDING: "booking.payment_pending",
    BookingStatus.CONFIRMED: "booking.confirmed",
    BookingStatus.CHECKED_IN: "booking.checked_in",
    BookingStatus.COMPLETED: "booking.completed",
    BookingStatus.EXPIRED: "booking.expired",
    BookingStatus.FAILED: "booking.failed",
    BookingStatus.CANCELLED: "booking.cancelled",
    BookingStatus.NO_SHOW: "booking.no_show",
}
"""The fact that says a booking came to be in a state."""


BOOKINGS = Detached(Booking)
LOCK = f"SELECT {BOOKINGS.columns} FROM bookings WHERE id = $1 FOR UPDATE"  # noqa: S608 - our own words
LOCK_ALL = f"""
    WITH {locking("ARRAY (SELECT hold_id FROM bookings WHERE id = $1)")}, booked AS MATERIALIZED (
        SELECT {BOOKINGS.columns} FROM bookings WHERE id = $1 AND (SELECT count(*) >= 0 FROM ours) FOR UPDATE)
    SELECT {moment_after("booked")}, ours.*, booked.* FROM booked CROSS JOIN ours
"""  # noqa: S608 - our own words


async def locked(keeper: Keeper, booking_id: UUID) -> Booking:
    """The booking as it is now, kept from every other writer; raises NotFound."""
    for columns in await keeper.fetch(LOCK, booking_id):
        return BOOKINGS.known(keeper, columns)
    raise NotFound("There is no such booking.")


async def locked_with_hold(scribe: Scribe, booking_id: UUID) -> tuple[Booking, Locked]:
    """The same, once the claims of the hold that it was made from, and then that hold, are locked: in one statement."""
    for moment, *columns in await scribe.fetch(LOCK_ALL, booking_id):
        hold, booking = columns[: HOLDS.width], columns[HOLDS.width :]
        return BOOKINGS.known(scribe, booking), Locked(HOLDS.known(scribe, hold), moment)
    raise NotFound("There is no such booking.")


async def by_id(reader: Reader, booking_id: UUID) -> Booking:
    """The booking as it stands, for whoever only looks; raises NotFound."""
    found = await BOOKINGS.find(reader, booking_id)
    if found is None:
        raise NotFound("There is no such booking.")
    return found


async def hold_of(reader: Reader, booking_id: UUID) -> UUID:
    """The hold that a booking was made from, which never changes; raises NotFound."""
    for (hold_id,) in await reader.fetch("SELECT hold_id FROM bookings WHERE id = $1", booking_id):
        return cast("UUID", hold_id)
    raise NotFound("There is no such booking.")


async def holds_of(session: ReadSession, booking_id: UUID) -> list[UUID]:
    """The hold of a booking, and that of an amendment of it which waits for its payment: to be locked together by
    whoever ends the booking or changes it. Raises NotFound."""
    waiting = select(Amendment.hold_id).where(
        Amendment.booking_id == booking_id,
        Amendment.status == AmendmentStatus.PAYMENT_PENDING,
        Amendment.hold_id.is_not(None),
    )
    return [await hold_of(session, booking_id), *await session.scalars(waiting)]


async def begin(scribe: Scribe, booking: Booking, actor: str) -> None:
    """The history and the facts of a new booking that has its seats, as its row says: it was INITIATED before."""
    stream, told, first, status = outbox.booking_stream(booking.id), payload(booking), BOOKING.initial, booking.status
    BOOKING.check(first, status)
    booked, held = Cause(actor=actor, reason="booked"), Cause(actor=actor, reason="seats held")
    await transitions.begin(scribe, BOOKING, booking.id, stream, FACTS[first], told, booked)
    change = Change(booking.id, first, status, stream, FACTS[status], told)
    await transitions.write(scribe, BOOKING.name, [change], held)


async def move(scribe: Scribe, booking: Booking, to: BookingStatus, cause: Cause) -> None:
    """Move a locked booking, with its history and its fact; raises WrongState."""
    stream = outbox.booking_stream(booking.id)
    await transitions.advance(scribe, BOOKING, booking, booking.id, to, stream, FACTS[to], payload(booking), cause)
    await notices.of_booking(scribe, booking)


def payload(booking: Booking) -> dict[str, Any]:
    """What a fact says of the booking beside its status. `total` is minor units; nobody's name or address."""
    return {
        "booking": str(booking.id),
        "pnr": booking.pnr,
        "hold": str(booking.hold_id),
        "total": booking.total,
        "currency": booking.currency,
    }
