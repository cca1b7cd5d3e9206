"""A sold hold takes over what another keeps: so a booking whose flights or seats were changed has one hold still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.db import Session
from models import Hold, HoldItem, HoldStatus
from services.holds.classes import assign_classes
from services.holds.keeping import give_back, sell, sold_units
from services.holds.locks import PoolKey, items, lock_pools
from services.holds.moves import PoolMove, SlotUnits, hand_claims, move_pools
from services.transitions import Cause


async def exchange(
    session: Session,
    hold: Hold,
    other: Hold | None,
    units: Sequence[SlotUnits],
    places: Mapping[PoolKey, int],
    cause: Cause,
    classes: Mapping[int, str] | None = None,
) -> None:
    """Return some of what a sold hold has to everybody, and give it all that another hold keeps, or has sold already.

    `units` and `places` are what is returned, as `give_back` takes them. Both holds have been locked with `lock_many`.
    Pools are locked here, so this comes last in its transaction. The other hold ends BOOKED, and keeps nothing. What
    it brings to a pool of which this one keeps more, or what no booking class counts yet, counts in this one's class.
    `classes` are, by slot, booking classes that are to count what the other has not sold yet. Raises ClassClosed where
    one of them is not open, HoldExpired where something of the other is somebody else's by now, and SEATS_NOT_BOOKED as
    `give_back` does.
    """
    gained = [] if other is None else await items(session, other.id)
    kept = {(item.slot_id, item.pool) for item in [*gained, *await items(session, hold.id)]}
    await lock_pools(session, kept)
    if other is not None and other.status is not HoldStatus.BOOKED:
        await assign_classes(session, other, classes or {})
        await sell(session, other, cause)
    if units or places:
        await give_back(session, hold.id, units, places)
    if other is not None:
        await take_in(session, hold, other, gained)


async def take_in(session: Session, hold: Hold, other: Hold, gained: Sequence[HoldItem]) -> None:
    """Write what another sold hold keeps to a hold, whose pools are locked."""
    own = {(item.slot_id, item.pool): item for item in await items(session, hold.id)}
    sold = await sold_units(session, hold.id)
    classes: dict[PoolKey, PoolMove] = {}
    for item in gained:
        key = item.slot_id, item.pool
        before = own.get(key)
        if before is not None:
            left = before.quantity - before.returned
            if (left or item.booking_class is None) and before.booking_class != item.booking_class:
                classes[key] = reclassed(item, before.booking_class)
                item.booking_class = before.booking_class
            item.units = [unit for unit in before.units if (item.slot_id, unit) in sold] + item.units
            item.quantity += left
            await session.delete(before)
    # The rows that go, before others take their keys.
    await session.flush()
    for item in gained:
        item.hold_id = hold.id
    await session.flush()
    await hand_claims(session, other.id, hold.id)
    await move_pools(session, classes)


def reclassed(item: HoldItem, booking_class: str | None) -> PoolMove:
    """The move of a pool in which what was sold of an item counts in another booking class."""
    moved = PoolMove()
    for code, count in ((item.booking_class, -item.quantity), (booking_class, item.quantity)):
        if code is not None:
            moved += PoolMove(classes={code: (0, count)})
    return moved
