"""Pools: how much of a slot may be sold, in all and in each booking class, and who says so.

Nested classes: a class may be sold while neither it nor any class above it has reached its limit, each counted with all
that lie below it. What is asked here of rows in memory, `class_room` asks in SQL where it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import add, sub
from typing import Protocol

from sqlalchemy import select

from core.db import ReadSession, Session
from core.errors import Conflict, Invalid, NotFound
from models import STOCK, Pool, Slot
from services import holds, outbox
from services.transitions import Cause


class Counts(Protocol):
    """What is counted of a pool: `models.Pool`, or a plain row of its columns."""

    @property
    def authorised(self) -> int:
        """How much may be held and sold."""

    @property
    def blocked(self) -> int:
        """How many units staff keep from sale."""

    @property
    def held(self) -> int:
        """How much is held."""

    @property
    def sold(self) -> int:
        """How much is sold."""

    @property
    def classes(self) -> Sequence[str]:
        """The nested booking classes, the highest first."""

    @property
    def class_limits(self) -> Sequence[int]:
        """The limit of each, with those below it."""

    @property
    def class_held(self) -> Sequence[int]:
        """What each holds itself."""

    @property
    def class_sold(self) -> Sequence[int]:
        """What each has sold itself."""


def left(pool: Counts) -> int:
    """How many more of a pool may be sold; none where staff have blocked more than that."""
    return max(0, pool.authorised - pool.blocked - pool.held - pool.sold)


def class_left(pool: Counts, booking_class: str) -> int:
    """How many more a booking class may count, of what is left or held already; none where there is no such class.

    A pool without classes sells every class alike.
    """
    if not pool.classes:
        return pool.authorised - pool.blocked
    return class_rooms(pool).get(booking_class, 0)


def class_rooms(pool: Counts) -> dict[str, int]:
    """How many more each booking class of a pool may count: bounded by its limit, and by that of each class above."""
    counted = list(accumulate(map(add, reversed(pool.class_held), reversed(pool.class_sold))))
    bounds = accumulate(map(sub, pool.class_limits, reversed(counted)), min)
    return {booking_class: max(0, bound) for booking_class, bound in zip(pool.classes, bounds, strict=True)}


def left_in(pool: Counts, booking_class: str) -> int:
    """How many more of a pool may be sold in a booking class."""
    return lefts_in(pool, (booking_class,))[0]


def lefts_in(pool: Counts, booking_classes: Sequence[str]) -> list[int]:
    """The same for each of some booking classes."""
    free = left(pool)
    if not pool.classes:
        return [free] * len(booking_classes)
    rooms = class_rooms(pool)
    return [min(free, rooms.get(one, 0)) for one in booking_classes]


class NotAuthorised(Conflict):
    """A number of a pool cannot be set so: it lies outside `least` to `most`, as the pool is now."""

    default_code = "NOT_AUTHORISED"

    def __init__(self, message: str, *, least: int, most: int) -> None:
        super().__init__(message)
        self.least = least
        self.most = most


class UnknownClass(Invalid):
    """The pool has no such booking class."""

    default_code = "UNKNOWN_CLASS"


async def of_slot(session: ReadSession, slot_id: int) -> Sequence[Pool]:
    """The pools of a slot's places, by code; none where there is no such slot. Stock of extras is not among them."""
    places = Pool.slot_id == slot_id, Pool.code.not_like(f"{STOCK}%")
    return (await session.scalars(select(Pool).where(*places).order_by(Pool.code))).all()


async def authorise(session: Session, slot_id: int, code: str, authorised: int, cause: Cause) -> Pool:
    """Set how much of a pool may be sold: its capacity, less, or more where it may be overbooked.

    The highest booking class follows where it was open to the whole pool. Raises NotFound (the slot), UnknownPool,
    Invalid, and NotAuthorised below what is held and sold or above capacity and overbooking; nothing has changed then.
    """
    not_negative(authorised, "authorised")
    await holds.expire_due_in(session, [(slot_id, code)])
    pool = await locked(session, slot_id, code)
    least, most = pool.held + pool.sold, pool.capacity + pool.overbooking
    if not least <= authorised <= most:
        raise NotAuthorised(f"{least} are held and sold, and no more than {most} may be.", least=least, most=most)
    before = pool.authorised
    if before == authorised:
        return pool
    if pool.class_limits and pool.class_limits[0] == before:
        pool.class_limits = [authorised, *pool.class_limits[1:]]
    pool.authorised = authorised
    await say(session, pool, "inventory.authorised", {"authorised": authorised, "from": before}, cause)
    return pool


async def set_overbooking(session: Session, slot_id: int, code: str, overbooking: int, cause: Cause) -> Pool:
    """Set how many more than its capacity may be authorised of a pool: 0 where it is never overbooked.

    It puts nothing on sale: `authorise` does. Raises NotFound (the slot), UnknownPool, Invalid, and NotAuthorised
    below what is authorised already or above the capacity itself; nothing has changed then.
    """
    not_negative(overbooking, "overbooking")
    pool = await locked(session, slot_id, code)
    least, most = max(0, pool.authorised - pool.capacity), pool.capacity
    if not least <= overbooking <= most:
        why = f"{pool.authorised} of {pool.capacity} are authorised: overbooking is {least} to {most}."
        raise NotAuthorised(why, least=least, most=most)
    before = pool.overbooking
    if before == overbooking:
        return pool
    pool.overbooking = overbooking
    await say(session, pool, "inventory.overbooking_set", {"overbooking": overbooking, "from": before}, cause)
    return pool


async def limit_class(session: Session, slot_id: int, code: str, booking_class: str, limit: int, cause: Cause) -> Pool:
    """Set how much a booking class and those below it may hold and sell together; 0 closes them.

    A limit below what they have sold already takes nothing back. Raises NotFound (the slot), UnknownPool,
    UnknownClass, Invalid, and NotAuthorised above capacity and overbooking; nothing has changed then.
    """
    not_negative(limit, "limit")
    pool = await locked(session, slot_id, code)
    if booking_class not in pool.classes:
        raise UnknownClass(f"There is no booking class {booking_class} in this cabin.", field="bookingClass")
    most = pool.capacity + pool.overbooking
    if limit > most:
        raise NotAuthorised(f"A booking limit is 0 to {most}.", least=0, most=most)
    place = pool.classes.index(booking_class)
    before = pool.class_limits[place]
    if before == limit:
        return pool
    pool.class_limits = [*pool.class_limits[:place], limit, *pool.class_limits[place + 1 :]]
    told = {"class": booking_class, "limit": limit, "from": before}
    await say(session, pool, "inventory.class_limited", told, cause)
    return pool


def not_negative(number: int, field: str) -> None:
    """Raises Invalid where a number of seats is less than none."""
    if number < 0:
        raise Invalid("No number of seats is less than 0.", field=field)


async def locked(session: Session, slot_id: int, code: str) -> Pool:
    """The pool as it is now, kept from every other writer; raises NotFound (the slot) and UnknownPool."""
    chosen = select(Pool).where(Pool.slot_id == slot_id, Pool.code == code).with_for_update()
    pool: Pool | None = await session.scalar(chosen.execution_options(populate_existing=True))
    if pool is not None:
        return pool
    if await session.scalar(select(Slot.id).where(Slot.id == slot_id)) is None:
        raise NotFound("There is no such flight.")
    raise holds.UnknownPool(f"There is no cabin {code} on this flight.", field="cabin")


async def say(session: Session, pool: Pool, kind: str, told: dict[str, object], cause: Cause) -> None:
    """Write the change of a locked pool, and the fact that is its history: what, by whom, and why."""
    await session.flush()
    payload = {"slot": pool.slot_id, "pool": pool.code, **told, "actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, kind, outbox.slot_stream(pool.slot_id), payload)
