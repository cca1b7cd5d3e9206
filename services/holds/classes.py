"""What a hold keeps once an offer is booked: in which booking classes it counts, and which counted extras beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from core.ids import uuid7
from core.rows import Keeper, Scribe
from models import Booking, Hold, HoldItem
from services.holds.kept import ITEMS
from services.holds.locks import PoolKey, lock_pools, now
from services.holds.moves import HOLD, ClassClosed, Classed, PoolMove, count_in, give, keep_more, move_pools
from services.holds.telling import PLACES_HELD, tell_places

STOCK_MINUTES = 10
MOST = timedelta(minutes=30)
"""The cap of any hold."""

KEPT = f"""
    SELECT pools.classes, {ITEMS.columns}
    FROM hold_items JOIN pools ON pools.slot_id = hold_items.slot_id AND pools.code = hold_items.pool
    WHERE hold_id = $1 ORDER BY hold_items.slot_id, pool
"""  # noqa: S608 - our own words


class Kept(NamedTuple):
    """What a hold keeps of a pool, and the booking classes that the pool has, the highest first."""

    item: HoldItem
    classes: list[str]


class Counting(NamedTuple):
    """What booking classes are to count: of which items, by how much pools change, and which classes must be open."""

    classed: list[Classed]
    changes: dict[PoolKey, PoolMove]
    opens: dict[PoolKey, str]


async def kept_in(session: Keeper, hold_id: UUID) -> list[Kept]:
    """What a locked hold keeps, by slot and pool."""
    found = await session.fetch(KEPT, hold_id)
    return [Kept(ITEMS.known(session, columns), classes) for classes, *columns in found]


async def assign_classes(
    session: Scribe, hold: Hold, classes: Mapping[int, str], stock: Mapping[PoolKey, int] | None = None
) -> None:
    """Have booking classes, given by slot, count all that a locked, living hold keeps there; and hold `stock` with it.

    A class that counted it before is relieved. A pool without classes sells every class alike: nothing is counted.
    `stock` is how many more the hold keeps of pools that it kept nothing of: they share its fate from here on. Pools
    are locked here, so this comes last in its transaction. Raises ClassClosed, for the transaction to end: the pool has
    no such class, or the class, or one above it, has not so much left; and StockGone the same way.
    """
    counting = planned(await kept_in(session, hold.id), classes)
    await count_in(session, counting.classed)
    await count(session, hold, counting, stock or {})


async def book(
    session: Scribe,
    hold: Hold,
    booking_id: UUID,
    kept: Sequence[Kept],
    classes: Mapping[int, str],
    stock: Mapping[PoolKey, int],
) -> None:
    """Give a locked hold that is free to a booking, and have classes count what is `kept`, as `assign_classes` does."""
    counting = planned(kept, classes)
    await give(session, hold, booking_id, counting.classed)
    await count(session, hold, counting, stock)


def planned(kept: Sequence[Kept], classes: Mapping[int, str]) -> Counting:
    """What is to be counted where that is kept; raises ClassClosed where a pool has no such class."""
    counting = Counting([], {}, {})
    for item, known in kept:
        wanted = classes.get(item.slot_id)
        if wanted is None or not known or item.booking_class == wanted:
            continue
        pool = item.slot_id, item.pool
        if wanted not in known:
            raise ClassClosed([pool])
        move = PoolMove(classes={wanted: (item.quantity, 0)})
        if item.booking_class is not None:
            move += PoolMove(classes={item.booking_class: (-item.quantity, 0)})
        counting.classed.append((item, wanted))
        counting.changes[pool] = move
        counting.opens[pool] = wanted
    return counting


async def count(session: Scribe, hold: Hold, counting: Counting, stock: Mapping[PoolKey, int]) -> None:
    """Hold `stock` with a locked hold, and have pools count all of it."""
    await tell_places(session, PLACES_HELD, await keep_more(session, hold, stock))
    changes = counting.changes | {pool: PoolMove(held=n) for pool, n in stock.items()}
    await move_pools(session, changes, counting.opens, stock)


async def hold_stock(
    session: Scribe, booking: Booking, stock: Mapping[PoolKey, int], kept: Iterable[PoolKey] = ()
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
    await session.insert(hold)
    await tell_places(session, PLACES_HELD, await keep_more(session, hold, stock))
    await lock_pools(session, {*stock, *kept})
    await move_pools(session, {pool: PoolMove(held=n) for pool, n in stock.items()}, takes=stock)
    return hold
