"""The one place in which claims, holds and pools change together, and the order in which they are locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, text, tuple_, update

from core.db import ReadSession, Session
from core.errors import Conflict, NotFound
from core.states import Machine
from models import Claim, Fact, Hold, HoldItem, HoldStatus, Pool, SeatStatus
from services import idempotency, outbox, transitions
from services.seats import SEAT

HOLD = Machine(
    "hold",
    HoldStatus,
    HoldStatus.ACTIVE,
    {
        HoldStatus.ACTIVE: frozenset({HoldStatus.RELEASED, HoldStatus.EXPIRED, HoldStatus.BOOKED}),
        HoldStatus.RELEASED: frozenset(),
        HoldStatus.EXPIRED: frozenset(),
        HoldStatus.BOOKED: frozenset(),
    },
)

SEAT_FACTS = {
    SeatStatus.AVAILABLE: "seat.released",
    SeatStatus.LOCKED: "seat.locked",
    SeatStatus.BOOKED: "seat.booked",
    SeatStatus.CHECKED_IN: "seat.checked_in",
    SeatStatus.BLOCKED: "seat.blocked",
}


class HoldExpired(Conflict):
    """The hold's deadline has passed, or it was given back: it holds nothing. `expired_at` is when."""

    default_code = "HOLD_EXPIRED"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__("This hold has ended; its seats are free for everybody.")
        self.expired_at = expired_at


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose a hold or booking is: a user's, or a guest's who proves it with a signed token."""

    user_id: UUID | None

    @property
    def key(self) -> str:
        """How idempotency keys and history name this owner."""
        return idempotency.owner_key(self.user_id)


@dataclass(frozen=True, kw_only=True)
class SlotUnits:
    """Some units of one slot."""

    slot_id: int
    units: tuple[str, ...]


async def now(session: ReadSession) -> datetime:
    """The moment by which deadlines are decided."""
    moment: datetime = (await session.execute(select(func.jetway_now()))).scalar_one()
    return moment


async def status_now(session: ReadSession, hold: Hold) -> HoldStatus:
    """What a hold is: EXPIRED once its deadline has passed, whether or not that is written down."""
    if hold.status is HoldStatus.ACTIVE and hold.expires_at <= await now(session):
        return HoldStatus.EXPIRED
    return hold.status


async def lock(session: Session, hold_id: UUID) -> Hold:
    """Lock a hold's claims in their order, then the hold; raises NotFound where there is none."""
    holds = await lock_many(session, [hold_id])
    if not holds:
        raise NotFound("There is no such hold.")
    return holds[0]


async def lock_many(session: Session, hold_ids: Sequence[UUID]) -> list[Hold]:
    """Lock the claims of several holds by (slot, unit), then the holds by id."""
    claims = select(Claim.unit).where(Claim.hold_id.in_(hold_ids)).order_by(Claim.slot_id, Claim.unit)
    await session.execute(claims.with_for_update())
    holds = select(Hold).where(Hold.id.in_(hold_ids)).order_by(Hold.id).with_for_update()
    return list((await session.scalars(holds.execution_options(populate_existing=True))).all())


async def items(session: ReadSession, hold_id: UUID) -> list[HoldItem]:
    """What a hold keeps, by slot and pool."""
    return (await items_by_holds(session, [hold_id])).get(hold_id, [])


async def items_by_holds(session: ReadSession, hold_ids: Sequence[UUID]) -> dict[UUID, list[HoldItem]]:
    """The same for many holds at once."""
    found: dict[UUID, list[HoldItem]] = defaultdict(list)
    rows = await session.scalars(
        select(HoldItem).where(HoldItem.hold_id.in_(hold_ids)).order_by(HoldItem.slot_id, HoldItem.pool)
    )
    for item in rows:
        found[item.hold_id].append(item)
    return found


async def move_claims(
    session: Session,
    hold_ids: Sequence[UUID],
    came_from: SeatStatus,
    to: SeatStatus,
    only: Sequence[SlotUnits] | None = None,
) -> int:
    """Change the locked claims of those holds that are `came_from`, with one fact per slot; how many were changed.

    A claim that becomes AVAILABLE keeps its row as a tombstone, so that its version goes on counting.
    """
    SEAT.check(came_from, to)
    statement = (
        update(Claim)
        .where(Claim.hold_id.in_(hold_ids), Claim.status == came_from)
        .values(
            status=to,
            version=text("nextval('claim_versions')"),
            changed_at=func.jetway_now(),
            expires_at=None,
            **({"hold_id": None} if to is SeatStatus.AVAILABLE else {}),
        )
        .returning(Claim.slot_id, Claim.unit, Claim.version)
    )
    if only is not None:
        pairs = [(some.slot_id, unit) for some in only for unit in some.units]
        statement = statement.where(in_pairs(pairs))
    rows = (await session.execute(statement)).all()
    await tell_seats(session, to, [(row.slot_id, row.unit, row.version) for row in rows], hold_ids)
    return len(rows)


def in_pairs(pairs: Sequence[tuple[int, str]]) -> ColumnElement[bool]:
    """A condition: the claim is one of those (slot, unit)."""
    return tuple_(Claim.slot_id, Claim.unit).in_(pairs)


async def tell_seats(
    session: Session, to: SeatStatus, changes: Iterable[tuple[int, str, int]], hold_ids: Sequence[UUID]
) -> None:
    """One fact per slot about seats (slot, number, version) that are `to` now."""
    by_slot: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for slot_id, unit, version in changes:
        by_slot[slot_id].append({"number": unit, "status": to, "version": version})
    hold = str(hold_ids[0]) if len(hold_ids) == 1 else None
    facts = [
        {
            "kind": SEAT_FACTS[to],
            "stream": outbox.slot_stream(slot_id),
            "payload": {"slot": slot_id, "hold": hold, "seats": seats},
        }
        for slot_id, seats in sorted(by_slot.items())
    ]
    if facts:
        await session.execute(insert(Fact), facts)


async def move_pools(session: Session, changes: Mapping[tuple[int, str], tuple[int, int]]) -> None:
    """Add (held, sold) to pools by (slot, code), in that order; the table's CHECK refuses what would oversell."""
    for (slot_id, code), (held, sold) in sorted(changes.items()):
        await session.execute(
            update(Pool)
            .where(Pool.slot_id == slot_id, Pool.code == code)
            .values(held=Pool.held + held, sold=Pool.sold + sold)
        )


def quantities(held: Iterable[HoldItem]) -> dict[tuple[int, str], int]:
    """How many of each pool those items keep."""
    total: dict[tuple[int, str], int] = defaultdict(int)
    for item in held:
        total[item.slot_id, item.pool] += item.quantity
    return dict(total)


async def end(session: Session, hold: Hold, to: HoldStatus, cause: transitions.Cause) -> None:
    """Move a locked hold to one of its final states, with its history and fact."""
    await transitions.advance(
        session,
        HOLD,
        hold,
        hold.id,
        to,
        outbox.hold_stream(hold.id),
        f"hold.{to.lower()}",
        {"hold": str(hold.id), "booking": str(hold.booking_id) if hold.booking_id else None},
        cause,
    )
