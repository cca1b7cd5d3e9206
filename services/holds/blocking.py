"""Staff keep seats from sale, and let them go again: a broken seat, one for the crew, one held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from sqlalchemy import select

from core.db import ReadSession, Session
from core.errors import Invalid, NotFound
from models import Claim, LayoutUnit, SeatStatus, Slot
from services import outbox
from services.holds.moves import PoolMove, SlotUnits, change_claims, move_pools, take_free
from services.holds.placing import SeatsTaken
from services.holds.telling import tell_seats
from services.seats import UnknownSeat
from services.transitions import Cause


async def block(session: Session, slot_id: int, units: Sequence[str], cause: Cause) -> list[str]:
    """Keep seats of a slot from sale; those that are BLOCKED now and were not before, in order.

    A seat whose lock has expired is free, and is blocked; its old hold is written down later. Raises Invalid, NotFound
    (the slot), UnknownSeat, and SeatsTaken with those that are held, sold or checked in: none is blocked then.
    """
    sections = await sections_of(session, slot_id, units)
    changes = await take_free(session, [(slot_id, unit) for unit in sorted(units)], SeatStatus.BLOCKED)
    blocked = sorted(unit for _, unit, _ in changes)
    others = await locked(session, slot_id, set(units).difference(blocked))
    taken = sorted(unit for unit, status in others.items() if status is not SeatStatus.BLOCKED)
    if taken:
        raise SeatsTaken({slot_id: taken})
    await tell_seats(session, SeatStatus.BLOCKED, changes, [])
    await say(session, "inventory.blocked", slot_id, blocked, cause)
    await count(session, slot_id, blocked, sections, 1)
    return blocked


async def unblock(session: Session, slot_id: int, units: Sequence[str], cause: Cause) -> list[str]:
    """Let seats of a slot be sold again; those that were BLOCKED, in order. Others stay what they are.

    Raises Invalid, NotFound (the slot) and UnknownSeat.
    """
    sections = await sections_of(session, slot_id, units)
    # Those alone that are locked: one that is blocked from now on would be locked after later ones.
    kept = await locked(session, slot_id, units)
    freed = sorted(unit for unit, status in kept.items() if status is SeatStatus.BLOCKED)
    theirs = [SlotUnits(slot_id=slot_id, units=tuple(freed))]
    changes = await change_claims(session, SeatStatus.BLOCKED, SeatStatus.AVAILABLE, theirs)
    await tell_seats(session, SeatStatus.AVAILABLE, changes, [])
    await say(session, "inventory.unblocked", slot_id, freed, cause)
    await count(session, slot_id, freed, sections, -1)
    return freed


async def sections_of(session: ReadSession, slot_id: int, units: Sequence[str]) -> dict[str, str]:
    """The pool that counts each of those seats; raises Invalid, NotFound (the slot) and UnknownSeat."""
    if not units or len(set(units)) != len(units):
        raise Invalid("Name one seat at least, and each once.", field="seats")
    if await session.scalar(select(Slot.id).where(Slot.id == slot_id)) is None:
        raise NotFound("There is no such flight.")
    chosen = (
        select(LayoutUnit.unit, LayoutUnit.section)
        .join(Slot, Slot.layout_id == LayoutUnit.layout_id)
        .where(Slot.id == slot_id, LayoutUnit.unit.in_(units))
    )
    sections = {row.unit: row.section for row in await session.execute(chosen)}
    for unit in units:
        if unit not in sections:
            raise UnknownSeat(f"There is no seat {unit} on this flight.", field="seats")
    return sections


async def locked(session: Session, slot_id: int, units: Collection[str]) -> dict[str, SeatStatus]:
    """Lock the claims that there are on those seats, in their order; what each is."""
    chosen = select(Claim.unit, Claim.status).where(Claim.slot_id == slot_id, Claim.unit.in_(units))
    rows = await session.execute(chosen.order_by(Claim.unit).with_for_update())
    return {row.unit: row.status for row in rows}


async def say(session: Session, kind: str, slot_id: int, units: Sequence[str], cause: Cause) -> None:
    """Write down for good who did it and why: facts about seats are for the live window and go after it."""
    if units:
        payload = {"slot": slot_id, "seats": list(units), "actor": cause.actor, "reason": cause.reason}
        await outbox.record(session, kind, outbox.slot_stream(slot_id), payload)


async def count(session: Session, slot_id: int, units: Sequence[str], sections: dict[str, str], each: int) -> None:
    """Count those seats in their pools as blocked (`each` 1), or not any more (-1)."""
    moved = Counter(sections[unit] for unit in units)
    await move_pools(session, {(slot_id, pool): PoolMove(blocked=each * number) for pool, number in moved.items()})
