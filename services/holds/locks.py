"""Locking holds, in the one order that `moves.py` tells: claims by (slot, unit), holds by id, and pools at the end.

Claims and holds are locked by one statement, in which each step reads what the one before has locked. PostgreSQL gives
what was locked as it is now, however long the lock was waited for; what a statement only reads is as it was when the
statement began. So whatever else is read of a hold is read by a later statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import func, select

from core.db import Session
from core.errors import NotFound
from core.rows import Keeper, Reader, Scribe
from models import Claim, Hold, HoldItem, HoldStatus
from services.holds.kept import HOLDS, ITEMS, KEPT

PoolKey = tuple[int, str]
"""A pool, by slot and code."""


class Locked(NamedTuple):
    """A locked hold, and the moment, by which deadlines are decided, at which it was."""

    hold: Hold
    moment: datetime


def locking(which: str) -> str:
    """The steps of a statement that locks the holds of an array of ids, `which`: of their claims (`theirs`) and of them
    (`ours`)."""
    return f"""
        theirs AS MATERIALIZED (
            SELECT FROM claims WHERE hold_id = ANY ({which}) ORDER BY slot_id, unit FOR UPDATE
        ), ours AS MATERIALIZED (
            SELECT {HOLDS.columns} FROM holds WHERE id = ANY ({which}) AND (SELECT count(*) >= 0 FROM theirs)
            ORDER BY id FOR UPDATE
        )"""  # noqa: S608 - our own words


def moment_after(step: str) -> str:
    """The moment at which a step of a statement has locked everything."""
    return f"(SELECT jetway_now() WHERE (SELECT count(*) >= 0 FROM {step}))"  # noqa: S608


LOCK = f"WITH {locking('$1::uuid[]')} SELECT {moment_after('ours')}, ours.* FROM ours"  # noqa: S608

LOCK_POOLS = """
    SELECT FROM pools JOIN unnest($1::bigint[], $2::varchar[]) AS one (slot_id, code)
                      ON pools.slot_id = one.slot_id AND pools.code = one.code COLLATE "C"
    ORDER BY pools.slot_id, pools.code FOR NO KEY UPDATE OF pools
"""


async def lock(session: Scribe, hold_id: UUID) -> Hold:
    """Lock a hold's claims in their order, then the hold; raises NotFound where there is none."""
    return (await lock_now(session, hold_id)).hold


async def lock_now(session: Scribe, hold_id: UUID) -> Locked:
    """The same, with the moment at which that was done."""
    found = await session.fetch(LOCK, [hold_id])
    if not found:
        raise NotFound("There is no such hold.")
    moment, *columns = found[0]
    return Locked(HOLDS.known(session, columns), moment)


async def lock_many(session: Scribe, hold_ids: Sequence[UUID]) -> list[Hold]:
    """Lock the claims of several holds by (slot, unit), then the holds by id."""
    return [HOLDS.known(session, columns) for _, *columns in await session.fetch(LOCK, list(hold_ids))]


async def lock_idle(session: Session, hold_ids: Sequence[UUID]) -> list[Hold]:
    """Lock those of several holds, with all their claims, that nobody else is at work on; never waits."""
    ours = Claim.hold_id.in_(hold_ids)
    claims = select(Claim.hold_id).where(ours).order_by(Claim.slot_id, Claim.unit)
    locked = Counter(await session.scalars(claims.with_for_update(skip_locked=True)))
    kept = await session.execute(select(Claim.hold_id, func.count()).where(ours).group_by(Claim.hold_id))
    busy = {hold_id for hold_id, count in kept if count > locked[hold_id]}
    idle = select(Hold).where(Hold.id.in_(set(hold_ids) - busy)).order_by(Hold.id).with_for_update(skip_locked=True)
    return list((await session.scalars(idle.execution_options(populate_existing=True))).all())


async def lock_pools(session: Scribe, keys: Collection[PoolKey]) -> None:
    """Lock those pools by (slot, code), for whoever does not move all of them at once."""
    await session.fetch(LOCK_POOLS, [slot_id for slot_id, _ in keys], [code for _, code in keys])


async def now(reader: Reader) -> datetime:
    """The moment by which deadlines are decided."""
    ((moment,),) = await reader.fetch("SELECT jetway_now()")
    return cast("datetime", moment)


async def status_now(reader: Reader, hold: Hold) -> HoldStatus:
    """What a hold is: EXPIRED once its deadline has passed, whether or not that is written down."""
    if hold.status is HoldStatus.ACTIVE and hold.expires_at <= await now(reader):
        return HoldStatus.EXPIRED
    return hold.status


async def items(session: Keeper, hold_id: UUID) -> list[HoldItem]:
    """What a hold keeps, by slot and pool, for whoever has locked it and may change it."""
    return [ITEMS.known(session, columns) for columns in await session.fetch(KEPT, [hold_id])]
