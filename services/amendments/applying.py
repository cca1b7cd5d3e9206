"""A change comes true: in one transaction the booking is as was agreed on, and so are its places, papers and money."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert

from core.db import Session
from core.money import Money
from models import Amendment, AmendmentStatus, Booking, BookingLine, ExtraStatus, Hold, PostingKind
from services import extras, holds, jobs, ledger, outbox, payments, refunds, tickets
from services.amendments import rows
from services.amendments.kinds import KINDS
from services.amendments.picture import Picture
from services.offers import Charged
from services.transitions import Cause


async def apply(
    session: Session, picture: Picture, amendment: Amendment, hold: Hold, other: Hold | None, cause: Cause
) -> None:
    """Change a booking as agreed; what it is to get back is requested, what is kept is ours.

    Booking, amendment, the booking's hold and the other with the new places are locked, and the booking is as it was
    when the change was quoted. What the change takes goes to the booking's hold. Pools come last. Raises
    holds.HoldExpired and holds.ClassClosed, for the transaction to end, where the new places cannot be had.
    """
    booking, kind = picture.booking, KINDS[amendment.kind]
    given = await kind.apply(session, picture, amendment.change)
    await write_lines(session, booking, lines_after(picture, amendment))
    await settle(session, booking, amendment, cause)
    lapsed = {one.id for one in given.extras}
    await extras.close(session, booking.id, ExtraStatus.REFUNDED, cause, lapsed & set(given.back))
    await extras.close(session, booking.id, ExtraStatus.VOID, cause, lapsed - set(given.back))
    await tickets.exchange(session, booking.id, given.slots, given.passengers, cause)
    await rows.move(session, amendment, AmendmentStatus.APPLIED, cause)
    await outbox.record(session, "booking.changed", outbox.booking_stream(booking.id), said(booking, amendment, cause))
    classes = kind.classes(amendment.change) if other is not None else {}
    await holds.exchange(session, hold, other, given.seats, given.unseated, cause, classes)


def lines_after(picture: Picture, amendment: Amendment) -> list[Charged]:
    """The lines of the price after the change: those that stay, then those that join them."""
    currency = picture.booking.currency
    removed = rows.read(amendment.removed, currency)
    stay: list[Charged] = []
    for line in picture.lines:
        one = rows.charged(line, currency)
        if one in removed:
            removed.remove(one)
        else:
            stay.append(one)
    return stay + rows.read(amendment.added, currency)


async def write_lines(session: Session, booking: Booking, lines: Sequence[Charged]) -> None:
    """Have the booking cost what those lines add up to."""
    await session.execute(delete(BookingLine).where(BookingLine.booking_id == booking.id))
    numbered = [
        {"booking_id": booking.id, "ordinal": ordinal, **row} for ordinal, row in enumerate(rows.written(lines))
    ]
    await session.execute(insert(BookingLine), numbered)
    booking.total = sum(one.line.amount.minor_units for one in lines)
    await session.flush()


async def settle(session: Session, booking: Booking, amendment: Amendment, cause: Cause) -> None:
    """Post what the change keeps, and have what it gives back sent."""
    if amendment.penalty:
        penalty = Money(amendment.penalty, amendment.currency)
        await ledger.post(session, PostingKind.KEPT, booking.id, amendment.id, penalty)
    if amendment.due < 0:
        back = Money(-amendment.due, amendment.currency)
        await refunds.give_back(session, booking.id, back, amendment.reason, cause)
        await jobs.look_after(session, booking.id, payments.RESCUE)


def said(booking: Booking, amendment: Amendment, cause: Cause) -> dict[str, object]:
    """What the fact says of a booking that was changed."""
    return {
        "booking": str(booking.id),
        "pnr": booking.pnr,
        "status": booking.status,
        "hold": str(booking.hold_id),
        "total": booking.total,
        "currency": booking.currency,
        "amendment": str(amendment.id),
        "actor": cause.actor,
        "reason": cause.reason,
    }
