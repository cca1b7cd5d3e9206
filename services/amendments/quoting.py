"""A quote: what a change would cost or give back, kept at that for a quarter of an hour. Nothing is changed."""

from __future__ import annotations

from datetime import timedelta

from core.db import Session
from core.errors import Conflict
from core.keys import Keyring
from models import Amendment, Booking
from services.amendments import rows
from services.amendments.kinds import BY_WISH, Wish
from services.amendments.picture import check_changeable, closes_at, look
from services.amendments.pricing import settle
from services.bookings.rows import locked
from services.transitions import Cause

LIFETIME = timedelta(minutes=15)


async def quote(session: Session, keyring: Keyring, booking: Booking, wish: Wish, cause: Cause) -> Amendment:
    """What the wish would come to now: an amendment, QUOTED, good until the hold of its new places ends at the latest.

    Whose booking and hold they are has been checked before. Raises WrongState and PAYMENT_UNDER_WAY for a booking that
    cannot be changed, CHANGES_CLOSED, CHECKED_IN, holds.HoldExpired, HOLD_BOOKED, and what the kind of change raises.
    """
    fresh = await locked(session, booking.id)
    check_changeable(fresh)
    picture = await look(session, fresh)
    kind = BY_WISH[type(wish)]
    draft = await kind.draft(session, keyring, picture, wish)
    settled = settle(picture, draft)
    closes = closes_at(picture.trips_on(draft.change["slots"]))
    held_until = [draft.hold.expires_at] if draft.hold else []
    expires_at = min(picture.moment + LIFETIME, closes, *held_until)
    if expires_at <= picture.moment:
        raise Conflict("This flight leaves within the hour.", code="CHANGES_CLOSED")
    amendment = Amendment(
        booking_id=fresh.id,
        hold_id=draft.hold.id if draft.hold else None,
        kind=kind.kind,
        change=draft.change,
        removed=rows.written(rows.charged(line, fresh.currency) for line in draft.removed),
        added=rows.written(draft.added),
        difference=settled.difference.minor_units,
        penalty=settled.penalty.minor_units,
        due=settled.due.minor_units,
        currency=fresh.currency,
        reason=settled.reason,
        basis=picture.basis,
        created_at=picture.moment,
        expires_at=expires_at,
    )
    await rows.begin(session, amendment, cause)
    return amendment
