"""Writing down what deadlines have already decided.

A hold whose deadline has passed holds nothing, whether or not this has run: what runs here announces it, returns what
its pools still count, and removes old tombstones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func, select, text, tuple_, update

from core.db import Session
from models import Claim, Fact, Hold, HoldItem, HoldStatus, SeatStatus
from services import outbox, transitions
from services.holds.moves import HOLD, PoolKey, counted, lock_idle, lock_many, move_claims, move_pools, now, whole
from services.transitions import Cause, Change

OVER = Cause(actor="deadline", reason="its time was over")

TOMBSTONE_AGE = timedelta(minutes=10)
"""How long a freed unit keeps its row: longer than any reader can still be about to use an older version."""


async def expire_due(session: Session, limit: int) -> int:
    """Expire up to `limit` holds whose deadline has passed, the oldest first; how many were.

    A hold that somebody is at work on is left for the next time: one that is stuck must not keep all others waiting.
    """
    due = select(Hold.id).where(
        Hold.status == HoldStatus.ACTIVE, Hold.expires_at <= select(func.jetway_now()).scalar_subquery()
    )
    ids = (await session.scalars(due.order_by(Hold.expires_at).limit(limit))).all()
    return await expire(session, await lock_idle(session, ids)) if ids else 0


async def expire_due_in(session: Session, pools: Sequence[PoolKey]) -> int:
    """Expire the holds whose deadline has passed and which those pools, by (slot, code), still count."""
    due = (
        select(Hold.id)
        .join(HoldItem, HoldItem.hold_id == Hold.id)
        .where(
            tuple_(HoldItem.slot_id, HoldItem.pool).in_(pools),
            Hold.status == HoldStatus.ACTIVE,
            Hold.expires_at <= select(func.jetway_now()).scalar_subquery(),
        )
    )
    ids = (await session.scalars(due)).unique().all()
    return await expire(session, await lock_many(session, ids)) if ids else 0


async def expire(session: Session, holds: Sequence[Hold]) -> int:
    """Expire those of the locked holds that are due; each gives back its pools exactly once."""
    moment = await now(session)
    due = [hold for hold in holds if hold.status is HoldStatus.ACTIVE and hold.expires_at <= moment]
    if not due:
        return 0
    ids = [hold.id for hold in due]
    await move_claims(session, ids, SeatStatus.LOCKED, SeatStatus.AVAILABLE)
    changes = [expiry_of(hold) for hold in due]
    await session.execute(update(Hold).where(Hold.id.in_(ids)).values(status=HoldStatus.EXPIRED))
    await transitions.write(session, HOLD.name, changes, OVER)
    held = await session.scalars(select(HoldItem).where(HoldItem.hold_id.in_(ids)))
    await move_pools(session, counted(whole(held), held=-1))
    return len(due)


def expiry_of(hold: Hold) -> Change:
    """That a hold has expired, as history and facts have it."""
    HOLD.check(hold.status, HoldStatus.EXPIRED)
    booking = str(hold.booking_id) if hold.booking_id else None
    payload = {"hold": str(hold.id), "booking": booking}
    stream = outbox.hold_stream(hold.id)
    return Change(hold.id, hold.status, HoldStatus.EXPIRED, stream, "hold.expired", payload)


async def sweep_tombstones(session: Session, limit: int) -> int:
    """Remove up to `limit` rows of units that have been free for ten minutes; how many were.

    A unit whose last change has not been told yet keeps its row: a viewer who forgot its version could take what is
    still to be told for news.
    """
    untold = select(func.coalesce(func.min(Fact.recorded_at), text("'infinity'"))).where(Fact.published_at.is_(None))
    old = (
        select(Claim.slot_id, Claim.unit)
        .where(
            Claim.status == SeatStatus.AVAILABLE,
            Claim.changed_at <= select(func.jetway_now()).scalar_subquery() - TOMBSTONE_AGE,
            Claim.changed_at < untold.scalar_subquery(),
        )
        .order_by(Claim.slot_id, Claim.unit)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(old)).all()
    if not rows:
        return 0
    await session.execute(delete(Claim).where(tuple_(Claim.slot_id, Claim.unit).in_([tuple(row) for row in rows])))
    return len(rows)
