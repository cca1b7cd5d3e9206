"""Tickets: one for each passenger, infants too, on each flight.

Source: IATA Resolution 722 (e-ticket). A number has 13 digits: the accounting code of the airline that stands behind
it (3), then form and serial (10), which we draw from one sequence. The numbers of one issue follow one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from core import clock
from core.db import Session
from core.journal import Book
from core.rows import Scribe
from core.states import Machine
from models import (
    Passenger,
    Ticket,
    TicketStatus,
)
from services import outbox, transitions
from services.transitions import Cause, Change

TICKET = Machine(
    "ticket",
    TicketStatus,
    TicketStatus.OPEN,
    {
        TicketStatus.OPEN: frozenset(
            {TicketStatus.USED, TicketStatus.VOID, TicketStatus.REFUNDED, TicketStatus.EXCHANGED}
        ),
        TicketStatus.USED: frozenset(),
        TicketStatus.VOID: frozenset(),
        TicketStatus.REFUNDED: frozenset(),
        TicketStatus.EXCHANGED: frozenset(),
    },
)

FACTS: Mapping[TicketStatus, str] = {
    TicketStatus.OPEN: "ticket.issued",
    TicketStatus.USED: "ticket.used",
    TicketStatus.VOID: "ticket.voided",
    TicketStatus.REFUNDED: "ticket.refunded",
    TicketStatus.EXCHANGED: "ticket.exchanged",
}


COUPONS = """
    WITH due AS (
        SELECT passengers.id AS passenger_id, booking_segments.slot_id, airlines.accounting_code,
               row_number() OVER (ORDER BY booking_segments.ordinal, passengers.ordinal) AS place
        FROM booking_segments
        JOIN flights ON flights.slot_id = booking_segments.slot_id
        JOIN airlines ON airlines.iata_code = flights.airline_code
        JOIN passengers ON passengers.booking_id = booking_segments.booking_id
        WHERE booking_segments.booking_id = $1
          AND passengers.cancelled_at IS NULL AND booking_segments.cancelled_at IS NULL
          AND NOT EXISTS (SELECT FROM tickets
                          WHERE tickets.passenger_id = passengers.id AND tickets.slot_id = booking_segments.slot_id
                            AND tickets.status IN ('OPEN', 'USED'))
    ), drawn AS MATERIALIZED (SELECT draw_serials(count(*)::int) AS first FROM due)
    SELECT passenger_id, slot_id, accounting_code, drawn.first + place - 1 FROM due CROSS JOIN drawn ORDER BY place
"""
"""Every coupon of a booking that has no good ticket, with the accounting code of its airline and the next serial."""


ISSUE = Book(
    "tickets",
    """INSERT INTO tickets (number, passenger_id, slot_id, status, issued_at)
    SELECT number, passenger_id, slot_id, status, moment
    FROM unnest({}::text[], {}::uuid[], {}::bigint[], {}::text[], {}::timestamptz[])
         AS one (number, passenger_id, slot_id, status, moment)""",
)


async def issue(scribe: Scribe, booking_id: UUID, cause: Cause) -> None:
    """Issue every ticket that a locked booking lacks, in the order of its flights and passengers."""
    moment = clock.now()
    tickets = [
        Ticket(
            number=number(code, serial),
            passenger_id=passenger_id,
            slot_id=slot_id,
            status=TICKET.initial,
            issued_at=moment,
        )
        for passenger_id, slot_id, code, serial in await scribe.fetch(COUPONS, booking_id)
    ]
    for one in tickets:
        scribe.note(ISSUE, one.number, one.passenger_id, one.slot_id, one.status, one.issued_at)
    await tell(scribe, booking_id, [(ticket, None) for ticket in tickets], cause)


def number(accounting_code: str, serial: int) -> str:
    """The thirteen digits."""
    return f"{accounting_code}{serial % 10**10:010d}"


async def close(
    session: Session,
    booking_id: UUID,
    to: TicketStatus,
    cause: Cause,
    passengers: Sequence[UUID] | None = None,
    slots: Sequence[int] | None = None,
) -> None:
    """Move every open ticket of a locked booking, or of some of its passengers, or for some of its flights, to `to`."""
    chosen = (
        select(Ticket)
        .join(Passenger, Passenger.id == Ticket.passenger_id)
        .where(Passenger.booking_id == booking_id, Ticket.status == TicketStatus.OPEN)
    )
    if passengers is not None:
        chosen = chosen.where(Ticket.passenger_id.in_(passengers))
    if slots is not None:
        chosen = chosen.where(Ticket.slot_id.in_(slots))
    rows = await session.scalars(chosen.order_by(Ticket.number).with_for_update(of=Ticket))
    changed = [(ticket, ticket.status) for ticket in rows]
    for ticket, came_from in changed:
        TICKET.check(came_from, to)
        ticket.status = to
    await session.flush()
    await tell(session, booking_id, changed, cause)


async def exchange(
    session: Session, booking_id: UUID, slots: Sequence[int], passengers: Sequence[UUID], cause: Cause
) -> None:
    """Exchange the open tickets for those flights, and those of those passengers, of a locked booking that was changed:
    it has been written as it is to be, and gets the tickets that it lacks."""
    await close(session, booking_id, TicketStatus.EXCHANGED, cause, slots=slots)
    await close(session, booking_id, TicketStatus.EXCHANGED, cause, passengers=passengers)
    await issue(session, booking_id, cause)


async def tell(
    scribe: Scribe, booking_id: UUID, changed: Iterable[tuple[Ticket, TicketStatus | None]], cause: Cause
) -> None:
    """A line of history and a fact for each ticket that changed, with where it came from."""
    stream = outbox.booking_stream(booking_id)
    changes = [
        Change(
            ticket.number,
            came_from,
            ticket.status,
            stream,
            FACTS[ticket.status],
            {
                "ticket": ticket.number,
                "booking": str(booking_id),
                "passenger": str(ticket.passenger_id),
                "slot": ticket.slot_id,
            },
        )
        for ticket, came_from in changed
    ]
    await transitions.write(scribe, TICKET.name, changes, cause)
