"""A hold while it lives: extended, released, given to a booking, kept while somebody pays, sold, given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from core.db import ReadSession, Session
from core.errors import Conflict
from models import Claim, Hold, HoldItem, HoldStatus, SeatStatus
from services import idempotency, outbox
from services.holds.moves import (
    PLACES_BOOKED,
    PLACES_RELEASED,
    HoldExpired,
    Owner,
    PoolKey,
    SlotUnits,
    counted,
    end,
    items,
    lock,
    move_claims,
    move_pools,
    now,
    set_deadline,
    tell_places,
    unseated,
    whole,
)
from services.holds.placing import SalesClosed
from services.transitions import Cause

MAX_EXTENSIONS = 2
PAYMENT_GRACE = timedelta(minutes=10)

CLOSED = """
    SELECT FROM slots JOIN hold_items ON hold_items.slot_id = slots.id
    WHERE hold_items.hold_id = $1 AND (slots.status <> 'OPEN' OR slots.starts_at <= jetway_now()) LIMIT 1
"""


class HoldBooked(Conflict):
    """The hold belongs to a booking: it is extended, paid and cancelled with that."""

    default_code = "HOLD_BOOKED"

    def __init__(self) -> None:
        super().__init__("This hold belongs to a booking now.")


class ExtensionLimit(Conflict):
    """The hold was extended twice, or has reached thirty minutes in all."""

    default_code = "EXTENSION_LIMIT"


async def extend(session: Session, hold_id: UUID, owner: Owner, key: str) -> Hold:
    """Move the deadline to the hold's minutes from now, at most twice and never beyond its cap; returns the hold.

    The same key again: nothing more. Raises HoldExpired, HoldBooked, ExtensionLimit, idempotency.KeyReused.
    """
    print_ = idempotency.fingerprint(str(hold_id))
    known = await idempotency.claim(session, owner.key, "extendHold", key, print_, hold_id)
    hold = await lock(session, hold_id)
    if known is not None:
        return hold
    if hold.booking_id is not None:
        raise HoldBooked
    moment = await live(session, hold)
    deadline = min(moment + timedelta(minutes=hold.minutes), hold.cap_at)
    if hold.extensions >= MAX_EXTENSIONS:
        raise ExtensionLimit("A hold can be extended twice.")
    if deadline <= hold.expires_at:
        raise ExtensionLimit("A hold lasts 30 minutes in all.")
    hold.extensions += 1
    await set_deadline(session, hold, deadline)
    payload = {"hold": str(hold.id), "extensions": hold.extensions, "expires_at": deadline.isoformat()}
    await outbox.record(session, "hold.extended", outbox.hold_stream(hold.id), payload)
    return hold


async def release(session: Session, hold_id: UUID, cause: Cause, *, booked: bool = False) -> Hold:
    """Give everything back at once. A released hold may be released again; raises HoldExpired and HoldBooked.

    `booked` tells that the hold's booking itself asks, which alone may release it then.
    """
    hold = await lock(session, hold_id)
    if hold.status is HoldStatus.RELEASED:
        return hold
    if hold.booking_id is not None and not booked:
        raise HoldBooked
    await live(session, hold)
    await let_go(session, hold, HoldStatus.RELEASED, cause)
    return hold


async def abandon(session: Session, hold_id: UUID, cause: Cause) -> None:
    """End a hold whose booking has ended, with all that it still keeps; one that has ended stays as it is.

    It is EXPIRED where its deadline has passed, RELEASED where it has not.
    """
    hold = await lock(session, hold_id)
    if hold.status is HoldStatus.ACTIVE:
        over = hold.expires_at <= await now(session)
        await let_go(session, hold, HoldStatus.EXPIRED if over else HoldStatus.RELEASED, cause)


async def let_go(session: Session, hold: Hold, to: HoldStatus, cause: Cause) -> None:
    """End a locked, ACTIVE hold, and give back the seats that are still its own, and its quantities."""
    held = await items(session, hold.id)
    await move_claims(session, [hold.id], SeatStatus.LOCKED, SeatStatus.AVAILABLE)
    await tell_places(session, PLACES_RELEASED, unseated(held))
    await end(session, [hold], to, cause)
    await move_pools(session, counted(whole(held), held=-1))


async def attach(session: Session, hold: Hold, booking_id: UUID) -> None:
    """Give a locked hold to a booking; raises HoldExpired, and HoldBooked where another booking has it."""
    if hold.booking_id is not None:
        raise HoldBooked
    await live(session, hold)
    hold.booking_id = booking_id
    await session.save(hold)


async def detach(session: Session, hold: Hold) -> None:
    """Have a locked, living hold be its shopper's again, whatever booking it belonged to."""
    hold.booking_id = None
    await session.flush()


async def begin_payment(session: Session, hold_id: UUID) -> datetime:
    """Give somebody who pays ten minutes from now at least, and return the deadline; asked again, it stays.

    Never less than was promised: a deadline further away is kept. At most ten minutes beyond the hold's cap. Raises
    HoldExpired.
    """
    hold = await lock(session, hold_id)
    moment = await live(session, hold)
    if hold.expires_before_payment is None:
        hold.expires_before_payment = hold.expires_at
        await set_deadline(session, hold, max(hold.expires_at, min(moment, hold.cap_at) + PAYMENT_GRACE))
    return hold.expires_at


async def linger(session: Session, hold: Hold, span: timedelta) -> datetime:
    """Keep what a locked hold keeps for `span` from now while somebody decides about its payment; its deadline.

    At most ten minutes beyond the hold's cap, and never less than it had. A hold that is dead stays dead. Its shopper
    is told the deadline that it had (`Hold.told_until`).
    """
    moment = await now(session)
    deadline = min(moment + span, hold.cap_at + PAYMENT_GRACE)
    if hold.status is HoldStatus.ACTIVE and moment < hold.expires_at < deadline:
        hold.expires_before_review = hold.told_until
        await set_deadline(session, hold, deadline)
    return hold.expires_at


async def payment_failed(session: Session, hold_id: UUID) -> bool:
    """Put the deadline back to what it was before the payment; whether the hold lives by it.

    A hold that is dead never lives again: a deadline is brought forward here, never put off. Whoever is told that it
    does not live ends it, with `abandon`.
    """
    hold = await lock(session, hold_id)
    if hold.status is HoldStatus.ACTIVE and hold.expires_before_payment is not None:
        deadline, hold.expires_before_payment = min(hold.expires_before_payment, hold.expires_at), None
        hold.expires_before_review = None
        await set_deadline(session, hold, deadline)
    return hold.status is HoldStatus.ACTIVE and hold.expires_at > await now(session)


async def check_on_sale(session: Session, hold_id: UUID) -> None:
    """Raises SalesClosed where anything that the hold keeps is not sold any more: closed, or begun."""
    if await session.fetch(CLOSED, hold_id):
        raise SalesClosed("This flight is not sold any more.")


async def take_over(session: Session, hold_id: UUID, cause: Cause) -> None:
    """Sell what the hold keeps: its seats are BOOKED, its quantities move from held to sold.

    A hold whose deadline has passed but whose seats nobody has taken is still good: the claims are locked here, so
    nobody can take them any more. Raises HoldExpired where anything of it is somebody else's; nothing is sold then.
    """
    await sell(session, await lock(session, hold_id), cause)


async def sell(session: Session, hold: Hold, cause: Cause) -> None:
    """The same for whoever has locked the hold."""
    if hold.status is not HoldStatus.ACTIVE:
        raise HoldExpired(hold.expires_at)
    held = await items(session, hold.id)
    sold = await move_claims(session, [hold.id], SeatStatus.LOCKED, SeatStatus.BOOKED)
    if sold != sum(len(item.units) for item in held):
        raise HoldExpired(hold.expires_at)
    await tell_places(session, PLACES_BOOKED, unseated(held))
    await end(session, [hold], HoldStatus.BOOKED, cause)
    await move_pools(session, counted(whole(held), held=-1, sold=1))


async def give_back(
    session: Session, hold_id: UUID, units: Sequence[SlotUnits], places: Mapping[PoolKey, int] | None = None
) -> None:
    """Return sold seats of a booking to everybody, and `places` sold without a seat; all of them leave their pools.

    Raises SEATS_NOT_BOOKED where some are not the hold's any more (given back before), or somebody has checked in.
    """
    hold = await lock(session, hold_id)
    held = await items(session, hold_id)
    returned = {(some.slot_id, unit) for some in units for unit in some.units}
    wanted = dict(places or {})
    left = [(item, wanted.pop((item.slot_id, item.pool), 0)) for item in held]
    counts = [(item, count + seats_in(item, returned)) for item, count in left]
    sold = await sold_units(session, hold_id)
    fits = all(item.quantity - item.returned - count >= seats_in(item, sold - returned) for item, count in counts)
    moved = await move_claims(session, [hold_id], SeatStatus.BOOKED, SeatStatus.AVAILABLE, units)
    if hold.status is not HoldStatus.BOOKED or moved != len(returned) or wanted or not fits:
        raise Conflict("Some of these seats are not this booking's.", code="SEATS_NOT_BOOKED")
    for item, count in counts:
        item.returned += count
    await session.flush()
    await tell_places(session, PLACES_RELEASED, left)
    await move_pools(session, counted(counts, sold=-1))


def seats_in(item: HoldItem, units: Set[tuple[int, str]]) -> int:
    """How many of an item's units are among those, by (slot, unit)."""
    return sum((item.slot_id, unit) in units for unit in item.units)


async def sold_units(session: ReadSession, hold_id: UUID) -> set[tuple[int, str]]:
    """The units, by (slot, unit), that a sold hold has still."""
    sold = Claim.status.in_((SeatStatus.BOOKED, SeatStatus.CHECKED_IN))
    rows = await session.execute(select(Claim.slot_id, Claim.unit).where(Claim.hold_id == hold_id, sold))
    return {(slot_id, unit) for slot_id, unit in rows}


async def live(session: Session, hold: Hold) -> datetime:
    """The present moment, at which the locked hold lives; raises HoldExpired where it does not."""
    moment = await now(session)
    if hold.status is not HoldStatus.ACTIVE or hold.expires_at <= moment:
        raise HoldExpired(hold.told_until)
    return moment
