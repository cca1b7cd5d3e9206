"""Writing down what deadlines have already decided.

A hold whose deadline has passed holds nothing, whether or not this has run: what runs here announces it, returns what
its pools still count, and removes old tombstones.

A hold that cannot be expired keeps no other hold from being expired (`services/sweeping.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import delete, func, select, tuple_

from core.db import Session
from core.rows import Reader
from models import Claim, Hold, HoldItem, HoldStatus, SeatStatus
from services import outbox, sweeping
from services.holds.locks import PoolKey, lock_idle, lock_many, lock_pools, now
from services.holds.moves import counted, finish, move_pools, whole
from services.transitions import Cause

OVER = Cause(actor="deadline", reason="its time was over")

TOMBSTONE_AGE = timedelta(minutes=10)
"""How long a freed unit keeps its row: longer than any reader can still be about to use an older version."""

TELLING = timedelta(minutes=5)
"""More than a transaction may take from changing a unit to writing down the fact: no statement may take one."""

DUE = """
    SELECT FROM holds WHERE status = 'ACTIVE' AND expires_at <= (SELECT jetway_now()) LIMIT 1
"""

FAILURES = Counter("jetway_hold_expiry_failures_total", "Holds that could not be expired; alert on any.")


class Broken(sweeping.Broken):
    """The holds that could not be expired, for as long as they are set aside."""

    what = "hold"
    failures = FAILURES


async def any_due(reader: Reader) -> bool:
    """Whether there is a hold that `expire_due` would look at. A plain statement, for whoever looks often."""
    return bool(await reader.fetch(DUE))


async def expire_due(session: Session, limit: int, broken: Broken | None = None) -> int:
    """Expire up to `limit` holds whose deadline has passed, the oldest first; how many were.

    A hold that somebody is at work on is left for the next time: one that is stuck must not keep all others waiting.
    One that cannot be expired goes to `broken`, and those that are there already are passed over.
    """
    broken = broken or Broken()
    due = select(Hold.id).where(
        Hold.status == HoldStatus.ACTIVE,
        Hold.expires_at <= select(func.jetway_now()).scalar_subquery(),
        Hold.id.not_in(broken.ids),
    )
    ids = (await session.scalars(due.order_by(Hold.expires_at).limit(limit))).all()
    return await expire_all_but(session, await lock_idle(session, ids), broken) if ids else 0


async def expire_due_in(session: Session, pools: Sequence[PoolKey]) -> int:
    """Expire the holds whose deadline has passed and which those pools, by (slot, code), still count; how many were."""
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
    return await expire_all_but(session, await lock_many(session, ids), Broken()) if ids else 0


async def expire_all_but(session: Session, holds: Sequence[Hold], broken: Broken) -> int:
    """Expire those of the locked holds that are due, except for those that cannot be, which go to `broken`.

    Where all of them together fail, their pools are locked in order, and whose fault it was is found by halves.
    """
    return await sweeping.all_but(session, holds, expire, lock_many, broken, lock_pools_of)


async def lock_pools_of(session: Session, hold_ids: Sequence[UUID]) -> None:
    """Lock the pools of those holds, by (slot, code)."""
    await lock_pools(session, await pools_of(session, hold_ids))


async def pools_of(session: Session, hold_ids: Sequence[UUID]) -> set[PoolKey]:
    """The pools, by (slot, code), that count what those holds keep."""
    rows = await session.execute(select(HoldItem.slot_id, HoldItem.pool).where(HoldItem.hold_id.in_(hold_ids)))
    return {(slot_id, pool) for slot_id, pool in rows}


async def expire(session: Session, holds: Sequence[Hold]) -> int:
    """Expire those of the locked holds that are due; each gives back its pools exactly once."""
    moment = await now(session)
    due = [hold for hold in holds if hold.status is HoldStatus.ACTIVE and hold.expires_at <= moment]
    if not due:
        return 0
    held = (await finish(session, due, HoldStatus.EXPIRED, OVER)).kept
    await move_pools(session, counted(whole(held), held=-1))
    return len(due)


async def sweep_tombstones(session: Session, limit: int) -> int:
    """Remove up to `limit` rows of units that have been free for ten minutes; how many were.

    A unit whose last change has not been told yet keeps its row: a viewer who forgot its version could take what is
    still to be told for news. A fact is written by the end of the transaction that changed the unit, so a little later.
    """
    old = (
        select(Claim.slot_id, Claim.unit)
        .where(
            Claim.status == SeatStatus.AVAILABLE,
            Claim.changed_at <= select(func.jetway_now()).scalar_subquery() - TOMBSTONE_AGE,
            Claim.changed_at < outbox.untold_since() - TELLING,
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
