"""A hold while it lives: extended, released, given to a booking, kept while somebody pays, sold, given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from uuid import UUID

from core.errors import Conflict
from core.rows import Reader, Scribe
from models import Hold, HoldItem, HoldStatus, SeatStatus
from services import idempotency, outbox
from services.holds.locks import Locked, PoolKey, items, lock, lock_now, now
from services.holds.moves import (
    HoldExpired,
    Owner,
    SlotUnits,
    counted,
    finish,
    give,
    move_claims,
    move_pools,
    set_deadline,
    whole,
)
from services.holds.placing import SalesClosed
from services.holds.telling import PLACES_RELEASED, tell_places
from services.transitions import Cause

MAX_EXTENSIONS = 2
PAYMENT_GRACE = timedelta(minutes=10)

CLOSED = """
    SELECT FROM slots JOIN hold_items ON hold_items.slot_id = slots.id
    WHERE hold_items.hold_id = $1 AND (slots.status <> 'OPEN' OR slots.starts_at <= jetway_now()) LIMIT 1
"""
SOLD = "SELECT slot_id, unit FROM claims WHERE hold_id = $1 AND status IN ('BOOKED', 'CHECKED_IN')"


class HoldBooked(Conflict):
    """The hold belongs to a booking: it is extended, paid and cancelled with that."""

    default_code = "HOLD_BOOKED"

    def __init__(self) -> None:
        super().__init__("This hold belongs to a booking now.")


class ExtensionLimit(Conflict):
    """The hold was extended twice, or has reached thirty minutes in all."""

    default_code = "EXTENSION_LIMIT"


async def extend(session: Scribe, hold_id: UUID, owner: Owner, key: str) -> Hold:
    """Move the deadline to the hold's minutes from now, at most twice and never beyond its cap; returns the hold.

    The same key again: nothing more. Raises HoldExpired, HoldBooked, ExtensionLimit, idempotency.KeyReused.
    """
    print_ = idempotency.fingerprint(str(hold_id))
    known = await idempotency.claim(session, owner.key, "extendHold", key, print_, hold_id)
    locked = await lock_now(session, hold_id)
    hold, moment = locked
    if known is not None:
        return hold
    if hold.booking_id is not None:
        raise HoldBooked
    check_alive(locked)
    deadline = min(moment + timedelta(minutes=hold.minutes), hold.cap_at)
    if hold.extensions >= MAX_EXTENSIONS:
        raise ExtensionLimit("A hold can be extended twice.")
    if deadline <= hold.expires_at:
        raise ExtensionLimit("A hold lasts 30 minutes in all.")
    await set_deadline(session, hold, deadline, extensions=hold.extensions + 1)
    payload = {"hold": str(hold.id), "extensions": hold.extensions, "expires_at": deadline.isoformat()}
    await outbox.record(session, "hold.extended", outbox.hold_stream(hold.id), payload)
    return hold


async def release(session: Scribe, hold_id: UUID, cause: Cause, *, booked: bool = False) -> Hold:
    """Give everything back at once. A released hold may be released again; raises HoldExpired and HoldBooked.

    `booked` tells that the hold's booking itself asks, which alone may release it then.
    """
    locked = await lock_now(session, hold_id)
    hold = locked.hold
    if hold.status is HoldStatus.RELEASED:
        return hold
    if hold.booking_id is not None and not booked:
        raise HoldBooked
    check_alive(locked)
    await let_go(session, hold, HoldStatus.RELEASED, cause)
    return hold


async def abandon(session: Scribe, hold_id: UUID, cause: Cause) -> None:
    """End a hold whose booking has ended, with all that it still keeps; one that has ended stays as it is.

    It is EXPIRED where its deadline has passed, RELEASED where it has not.
    """
    hold, moment = await lock_now(session, hold_id)
    if hold.status is HoldStatus.ACTIVE:
        over = hold.expires_at <= moment
        await let_go(session, hold, HoldStatus.EXPIRED if over else HoldStatus.RELEASED, cause)


async def let_go(session: Scribe, hold: Hold, to: HoldStatus, cause: Cause) -> None:
    """End a locked, ACTIVE hold, and give back the seats that are still its own, and its quantities."""
    held = (await finish(session, [hold], to, cause)).kept
    await move_pools(session, counted(whole(held), held=-1))


async def attach(session: Scribe, locked: Locked, booking_id: UUID) -> None:
    """Give a locked hold to a booking; raises HoldExpired, and HoldBooked where another booking has it."""
    check_free(locked)
    await give(session, locked.hold, booking_id)


async def detach(session: Scribe, hold: Hold) -> None:
    """Have a locked, living hold be its shopper's again, whatever booking it belonged to."""
    await give(session, hold, None)


async def begin_payment(session: Scribe, hold_id: UUID) -> datetime:
    """Give somebody who pays ten minutes from now at least, and return the deadline; asked again, it stays.

    Never less than was promised: a deadline further away is kept. At most ten minutes beyond the hold's cap. Raises
    HoldExpired.
    """
    return await keep_for_payment(session, await lock_now(session, hold_id))


async def keep_for_payment(session: Scribe, locked: Locked) -> datetime:
    """The same for whoever has locked the hold."""
    hold, moment = locked
    check_alive(locked)
    if hold.expires_before_payment is None:
        deadline = max(hold.expires_at, min(moment, hold.cap_at) + PAYMENT_GRACE)
        await set_deadline(session, hold, deadline, expires_before_payment=hold.expires_at)
    return hold.expires_at


async def linger(session: Scribe, hold: Hold, span: timedelta) -> datetime:
    """Keep what a locked hold keeps for `span` from now while somebody decides about its payment; its deadline.

    At most ten minutes beyond the hold's cap, and never less than it had. A hold that is dead stays dead. Its shopper
    is told the deadline that it had (`Hold.told_until`).
    """
    moment = await now(session)
    deadline = min(moment + span, hold.cap_at + PAYMENT_GRACE)
    if hold.status is HoldStatus.ACTIVE and moment < hold.expires_at < deadline:
        await set_deadline(session, hold, deadline, expires_before_review=hold.told_until)
    return hold.expires_at


async def payment_failed(session: Scribe, hold_id: UUID) -> bool:
    """Put the deadline back to what it was before the payment; whether the hold lives by it.

    A hold that is dead never lives again: a deadline is brought forward here, never put off. Whoever is told that it
    does not live ends it, with `abandon`.
    """
    hold, moment = await lock_now(session, hold_id)
    if hold.status is HoldStatus.ACTIVE and hold.expires_before_payment is not None:
        deadline = min(hold.expires_before_payment, hold.expires_at)
        await set_deadline(session, hold, deadline, expires_before_payment=None, expires_before_review=None)
    return hold.status is HoldStatus.ACTIVE and hold.expires_at > moment


async def check_on_sale(reader: Reader, hold_id: UUID) -> None:
    """Raises SalesClosed where anything that the hold keeps is not sold any more: closed, or begun."""
    if await reader.fetch(CLOSED, hold_id):
        raise closed()


def closed() -> SalesClosed:
    """What whoever wants more than is sold is told."""
    return SalesClosed("This flight is not sold any more.")


async def take_over(session: Scribe, hold_id: UUID, cause: Cause) -> None:
    """Sell what the hold keeps: its seats are BOOKED, its quantities move from held to sold.

    A hold whose deadline has passed but whose seats nobody has taken is still good: the claims are locked here, so
    nobody can take them any more. Raises HoldExpired where anything of it is somebody else's; nothing is sold then.
    """
    await sell(session, await lock(session, hold_id), cause)


async def sell(session: Scribe, hold: Hold, cause: Cause, *, on_sale: bool = False) -> None:
    """The same for whoever has locked the hold. `on_sale`: raises SalesClosed as `check_on_sale` does."""
    if hold.status is not HoldStatus.ACTIVE:
        if on_sale:
            await check_on_sale(session, hold.id)
        raise HoldExpired(hold.expires_at)
    finished = await finish(session, [hold], HoldStatus.BOOKED, cause)
    if on_sale and finished.closed:
        raise closed()
    if finished.units != sum(len(item.units) for item in finished.kept):
        raise HoldExpired(hold.expires_at)
    await move_pools(session, counted(whole(finished.kept), held=-1, sold=1))


async def give_back(
    session: Scribe, hold_id: UUID, units: Sequence[SlotUnits], places: Mapping[PoolKey, int] | None = None
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
    await session.save(*held)
    await tell_places(session, PLACES_RELEASED, left)
    await move_pools(session, counted(counts, sold=-1))


def seats_in(item: HoldItem, units: Set[tuple[int, str]]) -> int:
    """How many of an item's units are among those, by (slot, unit)."""
    return sum((item.slot_id, unit) in units for unit in item.units)


async def sold_units(reader: Reader, hold_id: UUID) -> set[tuple[int, str]]:
    """The units, by (slot, unit), that a sold hold has still."""
    return {(slot_id, unit) for slot_id, unit in await reader.fetch(SOLD, hold_id)}


def check_free(locked: Locked) -> None:
    """Raises HoldExpired unless a locked hold lives, and HoldBooked where a booking has it."""
    if locked.hold.booking_id is not None:
        raise HoldBooked
    check_alive(locked)


def check_alive(locked: Locked) -> None:
    """Raises HoldExpired unless a locked hold lives."""
    hold, moment = locked
    if hold.status is not HoldStatus.ACTIVE or hold.expires_at <= moment:
        raise HoldExpired(hold.told_until)
