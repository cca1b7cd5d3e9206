"""An amendment as the purpose of payments: the new places are sold once the money is promised, and the booking is
changed once it is there. Until then the booking stands as it was, and so it does where the money cannot be had.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Database, Session
from core.errors import Conflict, NotFound
from core.log import logger
from core.rows import Reader, Scribe
from models import Amendment, AmendmentStatus, Booking, BookingStatus, Hold, HoldStatus
from services import holds, payments, refunds
from services.amendments import ending, rows
from services.amendments.applying import apply
from services.amendments.picture import Picture, checked_in, closes_at, look
from services.bookings import purposes
from services.bookings.purposes import Stage, Standing
from services.bookings.rows import hold_of, locked
from services.holds import HoldExpired, SalesClosed
from services.transitions import Cause

GRACE = timedelta(minutes=10)
"""What an amendment without a hold has, from its quote's deadline on, for its payment. Holds have their own."""

STANDING = """
    SELECT amendments.status, amendments.sold_at, amendments.due, holds.status,
           coalesce(holds.expires_at, amendments.expires_at + $2) - jetway_now()
    FROM amendments LEFT JOIN holds ON holds.id = amendments.hold_id
    WHERE amendments.id = $1
"""

log = logger("amendments")


def stage_of(amendment: Amendment) -> Stage:
    """How far an amendment is."""
    if amendment.status is not AmendmentStatus.PAYMENT_PENDING:
        return Stage.OVER
    return Stage.OPEN if amendment.sold_at is None else Stage.SOLD


@dataclass(frozen=True)
class Locked:
    """The rows of an amendment, each locked: `other` is the hold of its new places, where it takes any."""

    hold: Hold
    other: Hold | None
    booking: Booking
    amendment: Amendment


async def lock(session: Session, booking_id: UUID, amendment_id: UUID) -> Locked:
    """Lock the claims of both holds, the holds, the booking, the amendment.

    Raises NotFound, and PAYMENT_UNDER_WAY where somebody else has just confirmed the quote, and so made a hold of its
    stock.
    """
    own = await hold_of(session, booking_id)
    found = await session.get(Amendment, amendment_id)
    if found is None or found.booking_id != booking_id:
        raise NotFound("There is no such quote.")
    ids = [own] if found.hold_id is None else [own, found.hold_id]
    held = {hold.id: hold for hold in await holds.lock_many(session, ids)}
    booking = await locked(session, booking_id)
    amendment = await rows.locked(session, amendment_id)
    if amendment.hold_id is not None and amendment.hold_id not in held:
        raise Conflict("A payment for this change has just been begun.", code="PAYMENT_UNDER_WAY")
    other = None if amendment.hold_id is None else held[amendment.hold_id]
    return Locked(held[own], other, booking, amendment)


def orm(scribe: Scribe) -> Session:
    """The session that a change of a booking works in: `Change.begin` gave it, or whoever confirms a quote has one."""
    if not isinstance(scribe, Session):
        raise TypeError("a booking is changed in a session")
    return scribe


@dataclass
class Change:
    """`services.bookings.purposes.Purpose`: PAYMENT_PENDING is OPEN, and SOLD once that is written down."""

    booking_id: UUID
    amendment_id: UUID
    _rows: Locked | None = field(default=None, init=False)

    @property
    def locked(self) -> Locked:
        """What the transaction has locked."""
        if self._rows is None:
            raise RuntimeError(f"amendment {self.amendment_id} is not locked")
        return self._rows

    def begin(self, db: Database) -> AbstractAsyncContextManager[Scribe]:
        """A session: what is changed of a booking is the ORM's."""
        return db.transaction()

    async def standing(self, reader: Reader) -> Standing:
        """Where it stands now."""
        found = await reader.fetch(STANDING, self.amendment_id, GRACE)
        if not found:
            raise NotFound("There is no such quote.")
        ((status, sold_at, due, hold, left),) = found
        stage = Stage.OVER
        if status == AmendmentStatus.PAYMENT_PENDING:
            stage = Stage.OPEN if sold_at is None else Stage.SOLD
        dead = left <= timedelta() or hold not in (None, HoldStatus.ACTIVE)
        return Standing(stage=stage, price=due, dead=dead, left=left)

    async def lock(self, scribe: Scribe) -> bool:
        """The same as `lock_all`: to be confirmed is to have the booking changed, which takes every lock."""
        return await self.lock_all(scribe) is not Stage.OVER

    async def lock_all(self, scribe: Scribe) -> Stage:
        """Lock the claims of its hold and the booking's, both holds, the booking and the amendment."""
        session = orm(scribe)
        self._rows = await lock(session, self.booking_id, self.amendment_id)
        return stage_of(self._rows.amendment)

    async def sell(self, scribe: Scribe, cause: Cause) -> None:
        """The new places are sold; the booking has its old ones still. A booking that cannot be changed as agreed any
        more, or whose flights are closed for changes by now, is told as SalesClosed: nobody can sell it that."""
        session = orm(scribe)
        found = self.locked
        picture = await look(session, found.booking)
        if not await stands(session, picture, found):
            raise SalesClosed("The booking has changed since this was agreed on.")
        if closes_at(picture.trips_on(found.amendment.change["slots"])) <= picture.moment:
            raise SalesClosed("The flight leaves within the hour, or has left.")
        found.amendment.sold_at = picture.moment
        await session.flush()
        if found.other is not None:
            await holds.sell(session, found.other, cause, on_sale=True)

    async def sell_late(self, session: Session, cause: Cause) -> bool:
        """What was lost is not looked for: the booking stands, and may be changed anew. Raises holds.HoldExpired."""
        amendment = await session.get_one(Amendment, self.amendment_id)
        raise HoldExpired(amendment.expires_at)

    async def linger(self, scribe: Scribe, span: timedelta) -> datetime:
        """The hold lives for `span` from now as far as it may, and the quote without a hold as long."""
        session = orm(scribe)
        found, moment = self.locked, await holds.now(session)
        if found.other is not None:
            return await holds.linger(session, found.other, span)
        if moment < found.amendment.expires_at + GRACE:
            found.amendment.expires_at = max(found.amendment.expires_at, moment + span - GRACE)
            await session.flush()
        return found.amendment.expires_at + GRACE

    async def confirm(self, scribe: Scribe, cause: Cause) -> None:
        """The booking is changed. Where it cannot be as agreed any more, all that was paid for it goes back."""
        session = orm(scribe)
        found = self.locked
        picture = await look(session, found.booking)
        if await stands(session, picture, found):
            await apply(session, picture, found.amendment, found.hold, found.other, cause)
            return
        log.warning("amendment.too_late", amendment=str(found.amendment.id), booking=str(found.booking.id))
        paid = await payments.lock_live(session, found.booking.id, found.amendment.id)
        await refunds.give_back_rest(session, paid, "The booking could not be changed any more.", cause)
        await self.undo(session, cause)

    async def forsake(self, scribe: Scribe, cause: Cause) -> None:
        """What it keeps is given back, and its time is over."""
        session = orm(scribe)
        found = self.locked
        if found.other is not None:
            await holds.abandon(session, found.other.id, cause)
        found.amendment.expires_at = await holds.now(session) - GRACE
        await session.flush()

    async def put_back(self, scribe: Scribe, cause: Cause) -> None:
        """The quote stands again, while it and its hold live; otherwise it is FAILED where it was forsaken, EXPIRED
        where its time was over."""
        session = orm(scribe)
        found = self.locked
        alive = found.other is None or await holds.payment_failed(session, found.other.id)
        if alive and found.amendment.expires_at > await holds.now(session):
            if found.other is not None:
                await holds.detach(session, found.other)
            await rows.move(session, found.amendment, AmendmentStatus.QUOTED, cause)
            return
        forsaken = found.other is not None and found.other.status is HoldStatus.RELEASED
        await rows.move(
            session, found.amendment, AmendmentStatus.FAILED if forsaken else AmendmentStatus.EXPIRED, cause
        )
        if found.other is not None:
            await holds.abandon(session, found.other.id, cause)

    async def undo(self, session: Session, cause: Cause) -> None:
        """The new places are everybody's; the booking has its old ones, as ever."""
        found = self.locked
        await rows.move(session, found.amendment, AmendmentStatus.FAILED, cause)
        if found.other is not None:
            await ending.give_up(session, found.other, cause)


async def stands(session: Session, picture: Picture, found: Locked) -> bool:
    """Whether a locked booking is still what was agreed on, and nobody has checked in for what is to be changed."""
    same = picture.booking.status is BookingStatus.CONFIRMED and picture.basis == found.amendment.basis
    return same and not await checked_in(session, found.hold.id, found.amendment.change["slots"])


purposes.register(Change)
