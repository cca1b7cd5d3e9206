"""Pools: how much of a slot may be sold, in all and in each booking class, and who says so.

Nested classes: a class may be sold while neither it nor any class above it has reached its limit, each counted with all
that lie below it. What is asked here of rows in memory, `class_room` asks in SQL where it is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import select

from core.db import Session
from core.errors import Conflict, Invalid, NotFound
from models import Pool
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
    room: dict[str, int] = {}
    below, bounds = 0, []
    for limit, held, sold in zip(
        reversed(pool.class_limits), reversed(pool.class_held), reversed(pool.class_sold), strict=True
    ):
        below += held + sold
        bounds.append(limit - below)
    tightest = bounds[-1] if bounds else 0
    for booking_class, bound in zip(pool.classes, reversed(bounds), strict=True):
        tightest = min(tightest, bound)
        room[booking_class] = max(0, tightest)
    return room


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
    """What a pool may sell cannot be set so: less than is held and sold, or more than it has and may be overbooked."""

    default_code = "NOT_AUTHORISED"


async def authorise(session: Session, slot_id: int, code: str, authorised: int, cause: Cause) -> Pool:
    """Set how much of a pool may be sold: its capacity, less, or more where its cabin may be overbooked.

    The highest booking class follows where it was open to the whole pool. Raises NotFound, and NotAuthorised with
    nothing changed.
    """
    await holds.expire_due_in(session, [(slot_id, code)])
    pool = await locked(session, slot_id, code)
    most = pool.capacity + pool.overbooking
    if not pool.held + pool.sold <= authorised <= most:
        raise NotAuthorised(f"{pool.held + pool.sold} are held and sold, and no more than {most} may be.")
    before = pool.authorised
    if before == authorised:
        return pool
    if pool.class_limits and pool.class_limits[0] == before:
        pool.class_limits = [authorised, *pool.class_limits[1:]]
    pool.authorised = authorised
    await say(session, pool, "inventory.authorised", {"authorised": authorised, "from": before}, cause)
    return pool


async def limit_class(session: Session, slot_id: int, code: str, booking_class: str, limit: int, cause: Cause) -> Pool:
    """Set how much a booking class and those below it may hold and sell together; 0 closes them.

    A limit below what they have sold already takes nothing back. Raises NotFound (the pool, the class) and Invalid.
    """
    pool = await locked(session, slot_id, code)
    if booking_class not in pool.classes:
        raise NotFound("There is no such booking class.")
    if not 0 <= limit <= pool.capacity + pool.overbooking:
        raise Invalid(f"A booking limit is 0 to {pool.capacity + pool.overbooking}.", field="limit")
    place = pool.classes.index(booking_class)
    before = pool.class_limits[place]
    if before == limit:
        return pool
    pool.class_limits = [*pool.class_limits[:place], limit, *pool.class_limits[place + 1 :]]
    told = {"class": booking_class, "limit": limit, "from": before}
    await say(session, pool, "inventory.class_limited", told, cause)
    return pool


async def locked(session: Session, slot_id: int, code: str) -> Pool:
    """The pool as it is now, kept from every other writer; raises NotFound."""
    chosen = select(Pool).where(Pool.slot_id == slot_id, Pool.code == code).with_for_update()
    pool: Pool | None = await session.scalar(chosen.execution_options(populate_existing=True))
    if pool is None:
        raise NotFound("There is no such pool.")
    return pool


async def say(session: Session, pool: Pool, kind: str, told: dict[str, object], cause: Cause) -> None:
    """Write the change of a locked pool, and the fact that is its history: what, by whom, and why."""
    await session.flush()
    payload = {"slot": pool.slot_id, "pool": pool.code, **told, "actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, kind, outbox.slot_stream(pool.slot_id), payload)
