"""What a hold keeps once an offer is booked: in which booking classes it counts, and which counted extras beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from core.db import ReadSession, Session
from core.ids import uuid7
from models import Booking, Hold, HoldItem
from services.holds.moves import (
    HOLD,
    PLACES_HELD,
    ClassClosed,
    PoolKey,
    PoolMove,
    items,
    lock_pools,
    move_pools,
    now,
    tell_places,
)

STOCK_MINUTES = 10
MOST = timedelta(minutes=30)
"""The cap of any hold."""

CLASSES = """
    SELECT slot_id, code, classes FROM pools JOIN unnest($1::bigint[], $2::varchar[]) AS one (slot_id, code)
    USING (slot_id, code)
"""


async def assign_classes(
    session: Session, hold: Hold, classes: Mapping[int, str], stock: Mapping[PoolKey, int] | None = None
) -> None:
    """Have booking classes, given by slot, count all that a locked, living hold keeps there; and hold `stock` with it.

    A class that counted it before is relieved. A pool without classes sells every class alike: nothing is counted.
    `stock` is how many more the hold keeps of pools that it kept nothing of: they share its fate from here on. Pools
    are locked here, so this comes last in its transaction. Raises ClassClosed, for the transaction to end: the pool has
    no such class, or the class, or one above it, has not so much left; and StockGone the same way.
    """
    kept = [(item, classes[item.slot_id]) for item in await items(session, hold.id) if item.slot_id in classes]
    known = await classes_of(session, [(item.slot_id, item.pool) for item, _ in kept])
    changes: dict[PoolKey, PoolMove] = {}
    opens: dict[PoolKey, str] = {}
    for item, wanted in kept:
        pool = item.slot_id, item.pool
        if not known[pool] or item.booking_class == wanted:
            continue
        if wanted not in known[pool]:
            raise ClassClosed([pool])
        changes[pool] = PoolMove(classes={wanted: (item.quantity, 0)})
        if item.booking_class is not None:
            changes[pool] += PoolMove(classes={item.booking_class: (-item.quantity, 0)})
        opens[pool] = item.booking_class = wanted
    stock = stock or {}
    added = [
        HoldItem(hold_id=hold.id, slot_id=pool[0], pool=pool[1], quantity=n, units=[]) for pool, n in stock.items()
    ]
    session.add_all(added)
    await session.save(*(item for item, _ in kept))
    await tell_places(session, PLACES_HELD, [(item, item.quantity) for item in added])
    await move_pools(session, changes | {pool: PoolMove(held=n) for pool, n in stock.items()}, opens, stock)


async def hold_stock(
    session: Session, booking: Booking, stock: Mapping[PoolKey, int], kept: Iterable[PoolKey] = ()
) -> Hold:
    """A new hold of a locked, sold booking, which keeps counted extras for ten minutes until they are paid for.

    Pools are locked here, with those that are `kept` already, so that what follows finds them in order. Raises
    StockGone, for the transaction to end.
    """
    moment = await now(session)
    hold = Hold(
        id=uuid7(),
        status=HOLD.initial,
        owner_id=booking.owner_id,
        booking_id=booking.id,
        minutes=STOCK_MINUTES,
        extensions=0,
        created_at=moment,
        expires_at=moment + timedelta(minutes=STOCK_MINUTES),
        cap_at=moment + MOST,
    )
    session.add(hold)
    await session.flush()
    added = [
        HoldItem(hold_id=hold.id, slot_id=pool[0], pool=pool[1], quantity=n, units=[]) for pool, n in stock.items()
    ]
    session.add_all(added)
    await session.flush()
    await tell_places(session, PLACES_HELD, [(item, item.quantity) for item in added])
    await lock_pools(session, {*stock, *kept})
    await move_pools(session, {pool: PoolMove(held=n) for pool, n in stock.items()}, takes=stock)
    return hold


async def classes_of(session: ReadSession, pools: list[PoolKey]) -> dict[PoolKey, list[str]]:
    """The booking classes of those pools, the highest first."""
    slots, codes = [slot_id for slot_id, _ in pools], [code for _, code in pools]
    return {(slot_id, code): classes for slot_id, code, classes in await session.fetch(CLASSES, slots, codes)}
