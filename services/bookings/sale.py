"""The sale of a booking, as the purpose of its payments: the seats of its hold, and a ticket for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.db import Database, Session
from core.errors import NotFound
from core.rows import Reader, Scribe
from models import Booking, BookingStatus, ExtraStatus, Hold, HoldStatus, TicketStatus
from services import extras, holds, tickets
from services.bookings import late, reading, rows
from services.bookings.purposes import Stage, Standing
from services.transitions import Cause

COLUMNS = "bookings.status, bookings.total, holds.status, holds.expires_at - jetway_now()"
"""What `standing_of` reads."""

STANDING = f"SELECT {COLUMNS} FROM bookings JOIN holds ON holds.id = bookings.hold_id WHERE bookings.id = $1"  # noqa: S608


def standing_of(columns: Sequence[Any]) -> Standing:
    """Where a sale stands whose COLUMNS were read."""
    booking, total, hold, left = columns
    stage = stage_of(BookingStatus(booking), HoldStatus(hold))
    return Standing(stage=stage, price=total, dead=hold != HoldStatus.ACTIVE or left <= timedelta(), left=left)


def stage_of(booking: BookingStatus, hold: HoldStatus) -> Stage:
    """How far a sale is whose booking and hold are in those states."""
    if booking is not BookingStatus.PAYMENT_PENDING:
        return Stage.OVER
    return Stage.SOLD if hold is HoldStatus.BOOKED else Stage.OPEN


@dataclass
class Sale:
    """`purposes.Purpose`: PAYMENT_PENDING is OPEN, and SOLD once the hold is BOOKED.

    Keeps the rows that its transaction has locked, of which one is under way at a time.
    """

    booking_id: UUID
    hold_id: UUID
    _booking: Booking = field(init=False, repr=False)
    _hold: Hold = field(init=False, repr=False)

    @property
    def amendment_id(self) -> None:
        """None: it is no amendment."""
        return

    def begin(self, db: Database) -> AbstractAsyncContextManager[Scribe]:
        """Plain statements do."""
        return db.writing()

    async def standing(self, reader: Reader) -> Standing:
        """Where it stands now."""
        found = await reader.fetch(STANDING, self.booking_id)
        if not found:
            raise NotFound("There is no such booking.")
        return standing_of(found[0])

    async def lock(self, scribe: Scribe) -> bool:
        """Lock the booking; whether it waits for its money."""
        self._booking = await rows.locked(scribe, self.booking_id)
        return self._booking.status is BookingStatus.PAYMENT_PENDING

    async def lock_all(self, scribe: Scribe) -> Stage:
        """Lock claims, hold and booking; where the sale stands."""
        self._booking, (self._hold, _) = await rows.locked_with_hold(scribe, self.booking_id)
        return stage_of(self._booking.status, self._hold.status)

    async def linger(self, scribe: Scribe, span: timedelta) -> datetime:
        """The hold lives for `span` from now, at most its payment's grace beyond its cap."""
        return await holds.linger(scribe, self._hold, span)

    async def sell(self, scribe: Scribe, cause: Cause) -> None:
        """The seats are BOOKED, and every ticket and extra is issued."""
        await tickets.issue(scribe, self.booking_id, cause)
        await extras.issue(scribe, self.booking_id, cause)
        await holds.sell(scribe, self._hold, cause, on_sale=True)

    async def sell_late(self, session: Session, cause: Cause) -> bool:
        """The same for seats that are found again, and places without a seat for those that are not."""
        return await late.sell_again(session, self.booking_id, self.hold_id, cause)

    async def confirm(self, scribe: Scribe, cause: Cause) -> None:
        """The booking is CONFIRMED."""
        await self._move(scribe, BookingStatus.CONFIRMED, cause)

    async def forsake(self, scribe: Scribe, cause: Cause) -> None:
        """The hold is RELEASED, or EXPIRED where its deadline has passed."""
        await holds.abandon(scribe, self.hold_id, cause)

    async def put_back(self, scribe: Scribe, cause: Cause) -> None:
        """The booking is SEATS_LOCKED while the hold lives by its old deadline; otherwise FAILED or EXPIRED."""
        if await holds.payment_failed(scribe, self.hold_id):
            await self._move(scribe, BookingStatus.SEATS_LOCKED, cause)
            return
        forsaken = self._hold.status is HoldStatus.RELEASED
        await self._move(scribe, BookingStatus.FAILED if forsaken else BookingStatus.EXPIRED, cause)
        await holds.abandon(scribe, self.hold_id, cause)

    async def undo(self, session: Session, cause: Cause) -> None:
        """Tickets and extras are VOID, the seats everybody's, the booking FAILED."""
        await self._move(session, BookingStatus.FAILED, cause)
        await tickets.close(session, self.booking_id, TicketStatus.VOID, cause)
        places = await reading.places_of(session, self.booking_id)
        await extras.close(session, self.booking_id, ExtraStatus.VOID, cause)
        await holds.give_back(session, self.hold_id, places.seats, places.unseated)

    async def _move(self, scribe: Scribe, to: BookingStatus, cause: Cause) -> None:
        await rows.move(scribe, self._booking, to, cause)
