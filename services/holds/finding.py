"""Late money: what a hold kept when it died is looked for once more, and sold at once to the hold's booking.

It is decided as for any hold, in one transaction and in the same order of locks: seats are claimed where they are free,
pools and booking classes count what they have room for, and a flight that is closed sells nothing. A seat that is
somebody else's by now is lost; its passenger keeps a place without one in the same cabin. There are all places again,
or none.

The hold stays dead while that is decided: it becomes BOOKED in the moment in which all is sold.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select, tuple_

from core.db import ReadSession, Session
from models import Hold, HoldItem, HoldStatus, LayoutUnit, Pool, SeatStatus, Slot
from services.holds.keeping import check_on_sale
from services.holds.locks import PoolKey, items, lock, lock_pools, status_now
from services.holds.moves import (
    ClassClosed,
    HoldExpired,
    SlotUnits,
    counted,
    end,
    move_claims,
    move_pools,
    take_free,
    whole,
)
from services.holds.telling import PLACES_BOOKED, tell_places, tell_seats, unseated
from services.transitions import Cause

Unit = tuple[int, str]
"""A seat, by slot and number."""


class PlacesGone(HoldExpired):
    """There are not as many places any more in `pools`, by (slot, code), nor in the booking class. Nothing is sold.

    Expired holds that nobody has written down may still fill them (`expire_due_in`).
    """

    def __init__(self, expired_at: datetime, pools: Sequence[PoolKey]) -> None:
        super().__init__(expired_at)
        self.pools = tuple(pools)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A dead hold, locked, whose seats are claimed again as far as they were free; `lost` are the others, by slot."""

    hold: Hold
    kept: Sequence[HoldItem]
    lost: tuple[SlotUnits, ...]


async def find_again(session: Session, hold_id: UUID) -> Found | None:
    """Claim what is free of the seats that a dead hold kept, and lock the hold; None where it is sold already.

    Comes first in its transaction, for claims are locked first; whoever gets None must end that without a commit. What
    was found is for `sell_found`, in the same transaction. Raises HoldExpired for a hold that was given back.
    """
    kept = await items(session, hold_id)
    theirs = await still_there(session, kept)
    claimed = await take_free(session, sorted(theirs), SeatStatus.LOCKED, hold_id)
    await tell_seats(session, SeatStatus.LOCKED, claimed, [hold_id])
    hold = await lock(session, hold_id)
    if hold.status is HoldStatus.BOOKED:
        return None
    if await status_now(session, hold) is not HoldStatus.EXPIRED:
        raise HoldExpired(hold.expires_at)
    got = {(slot_id, unit) for slot_id, unit, _ in claimed}
    lost = [
        SlotUnits(slot_id=item.slot_id, units=tuple(unit for unit in item.units if (item.slot_id, unit) not in got))
        for item in kept
    ]
    return Found(hold=hold, kept=kept, lost=tuple(some for some in lost if some.units))


async def sell_found(session: Session, found: Found, cause: Cause) -> None:
    """Sell what was found, and a place without a seat for each seat that was lost.

    Pools are locked here, so this comes last in its transaction. Raises PlacesGone, and SalesClosed where a flight is
    not sold any more; the transaction has to end then.
    """
    hold, lost = found.hold, {(some.slot_id, unit) for some in found.lost for unit in some.units}
    for item in found.kept:
        item.units = [unit for unit in item.units if (item.slot_id, unit) not in lost]
    await session.flush()
    counts_nothing = hold.status is HoldStatus.EXPIRED
    await move_claims(session, [hold.id], SeatStatus.LOCKED, SeatStatus.BOOKED, seats_of(found.kept))
    # A seat that the flight has no more, and that nobody has written down as free.
    await move_claims(session, [hold.id], SeatStatus.LOCKED, SeatStatus.AVAILABLE, found.lost)
    await tell_places(session, PLACES_BOOKED, unseated(found.kept))
    await end(session, hold, HoldStatus.BOOKED, cause)
    if counts_nothing:
        await count_again(session, found)
    await move_pools(session, counted(whole(found.kept), held=-1, sold=1))
    # Whoever closes a flight, or gives it other seats, locks its pools before: as it is now, it stays.
    await check_on_sale(session, hold.id)
    if not await still_there(session, found.kept) >= {
        (item.slot_id, unit) for item in found.kept for unit in item.units
    }:
        raise PlacesGone(hold.expires_at, [])


async def count_again(session: Session, found: Found) -> None:
    """Have pools and booking classes hold what they counted until the hold was expired; raises PlacesGone."""
    wanted = {(item.slot_id, item.pool): item for item in found.kept}
    await lock_pools(session, wanted)
    chosen = select(Pool).where(tuple_(Pool.slot_id, Pool.code).in_(wanted)).order_by(Pool.slot_id, Pool.code)
    full = [
        (pool.slot_id, pool.code)
        for pool in await session.scalars(chosen.execution_options(populate_existing=True))
        if pool.authorised - pool.blocked - pool.held - pool.sold < wanted[pool.slot_id, pool.code].quantity
    ]
    if full:
        raise PlacesGone(found.hold.expires_at, full)
    opens = {pool: item.booking_class for pool, item in wanted.items() if item.booking_class is not None}
    try:
        await move_pools(session, counted(whole(found.kept), held=1), opens)
    except ClassClosed as refusal:
        raise PlacesGone(found.hold.expires_at, refusal.pools) from None


def seats_of(kept: Collection[HoldItem]) -> list[SlotUnits]:
    """The seats among those items."""
    return [SlotUnits(slot_id=item.slot_id, units=tuple(item.units)) for item in kept]


async def still_there(session: ReadSession, kept: Collection[HoldItem]) -> set[Unit]:
    """Those seats of the items that their flights have still, each in its item's cabin."""
    cabins = {(item.slot_id, unit): item.pool for item in kept for unit in item.units}
    here = and_(LayoutUnit.layout_id == Slot.layout_id, tuple_(Slot.id, LayoutUnit.unit).in_(list(cabins)))
    chosen = select(Slot.id, LayoutUnit.unit, LayoutUnit.section).join(LayoutUnit, here)
    return {
        (slot_id, unit) for slot_id, unit, section in await session.execute(chosen) if cabins[slot_id, unit] == section
    }
