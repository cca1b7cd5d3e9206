"""The one place in which claims, holds and pools change together, and the order in which they are locked.

Whatever moves a claim after it was placed goes through here, and locks in one order: idempotency keys; claims by (slot,
unit); holds by id; what hangs on a booking (`services/bookings/rows.py`); and pools by (slot, code), last, each once.
Nobody who waits for a lock holds a later one, so nobody waits in a circle. `take_holds` (placing) keeps the same order;
staff who block seats lock claims and pools, and whoever sets what a pool may sell locks that pool alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm.attributes import set_committed_value

from core.db import ReadSession, Session
from core.errors import Conflict, NotFound
from core.rows import Keeper
from core.states import Machine
from models import Claim, Hold, HoldItem, HoldStatus, Pool, SeatStatus
from services import idempotency, outbox, transitions
from services.holds.kept import HOLDS, ITEMS, KEPT
from services.seats import SEAT

HOLD = Machine(
    "hold",
    HoldStatus,
    HoldStatus.ACTIVE,
    {
        HoldStatus.ACTIVE: frozenset({HoldStatus.RELEASED, HoldStatus.EXPIRED, HoldStatus.BOOKED}),
        HoldStatus.RELEASED: frozenset(),
        HoldStatus.EXPIRED: frozenset({HoldStatus.BOOKED}),
        HoldStatus.BOOKED: frozenset(),
    },
)
"""An expired hold keeps nothing, and never lives again; what it kept may be found again, and sold (`finding.py`)."""

PoolKey = tuple[int, str]
"""A pool, by slot and code."""

SEAT_FACTS = {
    SeatStatus.AVAILABLE: "seat.released",
    SeatStatus.LOCKED: "seat.locked",
    SeatStatus.BOOKED: "seat.booked",
    SeatStatus.CHECKED_IN: "seat.checked_in",
    SeatStatus.BLOCKED: "seat.blocked",
}

PLACES_HELD, PLACES_BOOKED, PLACES_RELEASED = "places.held", "places.booked", "places.released"
"""Facts about places without a seat, and about stock; of places that are held, `take_holds` tells."""


class HoldExpired(Conflict):
    """The hold's deadline has passed, or it was given back: it holds nothing. `expired_at` is when."""

    default_code = "HOLD_EXPIRED"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__("This hold has ended; its seats are free for everybody.")
        self.expired_at = expired_at


class ClassClosed(Conflict):
    """A booking class does not sell so many any more, though its cabin may. `pools` are those, by (slot, code)."""

    default_code = "CLASS_CLOSED"

    def __init__(self, pools: Sequence[PoolKey]) -> None:
        super().__init__("This booking class is not sold any more.")
        self.pools = tuple(pools)


class StockGone(Conflict):
    """Less of a counted extra is left on a flight than was asked for. `pool` is what counts it, `left` how many."""

    default_code = "EXTRA_SOLD_OUT"

    def __init__(self, pool: PoolKey, left: int) -> None:
        super().__init__("This extra is sold out.")
        self.pool = pool
        self.left = left


LOCK_CLAIMS = "SELECT FROM claims WHERE hold_id = ANY ($1::uuid[]) ORDER BY slot_id, unit FOR UPDATE"
LOCK_HOLDS = f"SELECT {HOLDS.columns} FROM holds WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE"  # noqa: S608
END = "UPDATE holds SET status = $1 WHERE id = ANY ($2::uuid[])"


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


@dataclass(frozen=True, kw_only=True)
class PoolMove:
    """By how much the counts of a pool change; `classes` are, of held and sold, the shares of booking classes."""

    held: int = 0
    sold: int = 0
    blocked: int = 0
    classes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __add__(self, other: PoolMove) -> PoolMove:
        shares = Counter[tuple[str, int]]()
        for move in (self, other):
            for code, share in move.classes.items():
                shares.update({(code, place): count for place, count in enumerate(share)})
        return PoolMove(
            held=self.held + other.held,
            sold=self.sold + other.sold,
            blocked=self.blocked + other.blocked,
            classes={code: (shares[code, 0], shares[code, 1]) for code, _ in shares},
        )


async def now(session: ReadSession) -> datetime:
    """The moment by which deadlines are decided."""
    ((moment,),) = await session.fetch("SELECT jetway_now()")
    return cast("datetime", moment)


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
    await session.fetch(LOCK_CLAIMS, hold_ids)
    return [HOLDS.known(session, columns) for columns in await session.fetch(LOCK_HOLDS, hold_ids)]


async def lock_idle(session: Session, hold_ids: Sequence[UUID]) -> list[Hold]:
    """Lock those of several holds, with all their claims, that nobody else is at work on; never waits."""
    ours = Claim.hold_id.in_(hold_ids)
    claims = select(Claim.hold_id).where(ours).order_by(Claim.slot_id, Claim.unit)
    locked = Counter(await session.scalars(claims.with_for_update(skip_locked=True)))
    kept = await session.execute(select(Claim.hold_id, func.count()).where(ours).group_by(Claim.hold_id))
    busy = {hold_id for hold_id, count in kept if count > locked[hold_id]}
    idle = select(Hold).where(Hold.id.in_(set(hold_ids) - busy)).order_by(Hold.id).with_for_update(skip_locked=True)
    return list((await session.scalars(idle.execution_options(populate_existing=True))).all())


async def lock_pools(session: Session, keys: Collection[PoolKey]) -> None:
    """Lock those pools by (slot, code), for whoever does not move all of them at once."""
    chosen = select(Pool.code).where(tuple_(Pool.slot_id, Pool.code).in_(keys)).order_by(Pool.slot_id, Pool.code)
    await session.execute(chosen.with_for_update(key_share=True))


async def items(session: Keeper, hold_id: UUID) -> list[HoldItem]:
    """What a hold keeps, by slot and pool, for whoever has locked it and may change it."""
    return [ITEMS.known(session, columns) for columns in await session.fetch(KEPT, [hold_id])]


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
    whose: ColumnElement[bool] = Claim.hold_id.in_(hold_ids)
    if only is not None:
        whose = and_(whose, in_pairs(only))
    changes = await change_claims(session, came_from, to, whose)
    await tell_seats(session, to, changes, hold_ids)
    return len(changes)


async def change_claims(
    session: Session, came_from: SeatStatus, to: SeatStatus, which: ColumnElement[bool]
) -> list[tuple[int, str, int]]:
    """Change those of the locked claims that are `came_from`; (slot, unit, version) of each that is `to` now."""
    SEAT.check(came_from, to)
    statement = (
        update(Claim)
        .where(which, Claim.status == came_from)
        .values(
            status=to,
            version=text("nextval('claim_versions')"),
            changed_at=func.jetway_now(),
            expires_at=None,
            **({"hold_id": None} if to is SeatStatus.AVAILABLE else {}),
        )
        .returning(Claim.slot_id, Claim.unit, Claim.version)
    )
    return [(row.slot_id, row.unit, row.version) for row in await session.execute(statement)]


async def hand_claims(session: Session, came_from: UUID, to: UUID) -> None:
    """Have the seats that one locked hold has sold be another's. Versions stay: nothing that others see has changed."""
    await session.execute(update(Claim).where(Claim.hold_id == came_from).values(hold_id=to))


async def take_free(
    session: Session, units: Sequence[tuple[int, str]], to: SeatStatus, hold_id: UUID | None = None
) -> list[tuple[int, str, int]]:
    """Have those of the seats, given in order by (slot, unit), that are free BLOCKED, or LOCKED by a hold.

    Returns (slot, unit, version) of each that was; all of them, free or not, are locked then. Who locks sells in the
    same transaction: the lock ends at once.
    """
    SEAT.check(SeatStatus.AVAILABLE, to)
    if not units:
        return []
    moment = select(func.jetway_now()).scalar_subquery()
    values = {
        "status": to,
        "hold_id": hold_id,
        "expires_at": moment if to is SeatStatus.LOCKED else None,
        "version": text("nextval('claim_versions')"),
        "changed_at": moment,
    }
    fresh = upsert(Claim).values([{"slot_id": slot_id, "unit": unit, **values} for slot_id, unit in units])
    free = or_(
        Claim.status == SeatStatus.AVAILABLE, and_(Claim.status == SeatStatus.LOCKED, Claim.expires_at <= moment)
    )
    statement = fresh.on_conflict_do_update(
        index_elements=[Claim.slot_id, Claim.unit], set_=values, where=free
    ).returning(Claim.slot_id, Claim.unit, Claim.version)
    return [(row.slot_id, row.unit, row.version) for row in await session.execute(statement)]


def in_pairs(some: Iterable[SlotUnits]) -> ColumnElement[bool]:
    """A condition: the claim is on one of those units."""
    pairs = [(one.slot_id, unit) for one in some for unit in one.units]
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
        outbox.Told(SEAT_FACTS[to], outbox.slot_stream(slot_id), {"slot": slot_id, "hold": hold, "seats": seats})
        for slot_id, seats in sorted(by_slot.items())
    ]
    await outbox.record_all(session, facts)


async def tell_places(session: Session, kind: str, moved: Iterable[tuple[HoldItem, int]]) -> None:
    """One fact per hold and slot about places without a seat: so many of each item, where there are any."""
    by_slot: dict[tuple[int, UUID], list[dict[str, Any]]] = defaultdict(list)
    for item, count in moved:
        if count:
            by_slot[item.slot_id, item.hold_id].append({"pool": item.pool, "count": count})
    facts = [
        outbox.Told(kind, outbox.slot_stream(slot_id), {"slot": slot_id, "hold": str(hold_id), "places": places})
        for (slot_id, hold_id), places in sorted(by_slot.items())
    ]
    await outbox.record_all(session, facts)


def unseated(held: Iterable[HoldItem]) -> list[tuple[HoldItem, int]]:
    """Items with how much each of them keeps without a seat, before any of it is given back."""
    return [(item, item.quantity - len(item.units)) for item in held]


COUNTED = "UPDATE pools SET held = held + $3, sold = sold + $4, blocked = blocked + $5"
NAMED = " WHERE slot_id = $1 AND code = $2"
DONE = " RETURNING 1"
MOVE = COUNTED + NAMED + DONE
MOVE_WHAT_IS_LEFT = COUNTED + NAMED + " AND held + sold + $3 <= authorised - blocked" + DONE
MOVED_CLASS = """ARRAY(
    SELECT here.count + coalesce(moved.count, 0)
    FROM unnest(classes, class_{kind}) WITH ORDINALITY AS here (code, count, place)
    LEFT JOIN unnest($6::varchar[], {counts}::int[]) AS moved (code, count) ON moved.code = here.code
    ORDER BY here.place)"""
MOVE_WITH_CLASSES = (
    COUNTED
    + "".join(
        f", class_{kind} = {MOVED_CLASS.format(kind=kind, counts=counts)}"
        for kind, counts in (("held", "$7"), ("sold", "$8"))
    )
    + NAMED
    + """ AND $6::varchar[] COLLATE "C" <@ classes AND ($9::varchar IS NULL OR 0 <= class_room(
        classes, class_limits, class_held, class_sold, $9::varchar, $6::varchar[], $7::int[]))"""
    + DONE
)
"""$9 is the class that must be open for what it gains; null where it only gives back, or keeps what it has."""


async def move_pools(
    session: Session,
    changes: Mapping[PoolKey, PoolMove],
    opens: Mapping[PoolKey, str] | None = None,
    takes: Collection[PoolKey] = (),
) -> None:
    """Change the counts of pools, by (slot, code) and in that order; the table's CHECKs refuse what would oversell.

    `opens` names for some of them the booking class that gains: raises ClassClosed where it, or one above it, has not
    so much left. Of the pools in `takes` more is held than before: raises StockGone where they have not so much left.
    The caller has locked everything else that it needs. What was noted before is written before: others wait for pools.
    """
    await session.settle()
    opens = opens or {}
    for key, move in sorted(changes.items(), key=lambda change: change[0]):
        if move == PoolMove():
            continue
        slot_id, code = key
        values: list[object] = [slot_id, code, move.held, move.sold, move.blocked]
        statement = MOVE_WITH_CLASSES if move.classes else MOVE_WHAT_IS_LEFT if key in takes else MOVE
        if move.classes:
            held, sold = zip(*move.classes.values(), strict=True)
            values += [list(move.classes), held, sold, opens.get(key)]
        if await session.fetch(statement, *values):
            continue
        if key in opens:
            raise ClassClosed([key])
        if key in takes:
            raise StockGone(key, await left_in(session, key))
        raise RuntimeError(f"slot {slot_id} has no pool {code} with the classes {sorted(move.classes)}")


async def left_in(session: ReadSession, key: PoolKey) -> int:
    """How many more of a pool may be sold; none where there is no such pool."""
    free = Pool.authorised - Pool.blocked - Pool.held - Pool.sold
    left = await session.scalar(select(free).where(Pool.slot_id == key[0], Pool.code == key[1]))
    return max(0, left or 0)


def counted(kept: Iterable[tuple[HoldItem, int]], *, held: int = 0, sold: int = 0) -> dict[PoolKey, PoolMove]:
    """The moves of pools in which each item's number counts `held` times as held and `sold` times as sold."""
    total: dict[PoolKey, PoolMove] = {}
    for item, count in kept:
        move = PoolMove(
            held=held * count,
            sold=sold * count,
            classes={item.booking_class: (held * count, sold * count)} if item.booking_class else {},
        )
        key = item.slot_id, item.pool
        total[key] = total.get(key, PoolMove()) + move
    return total


def whole(held: Iterable[HoldItem]) -> list[tuple[HoldItem, int]]:
    """Items with all that each of them keeps."""
    return [(item, item.quantity) for item in held]


SET_DEADLINE = "UPDATE claims SET expires_at = $2 WHERE hold_id = $1 AND status = 'LOCKED'"


async def set_deadline(session: Session, hold: Hold, deadline: datetime) -> None:
    """Move the deadline of a locked hold and of its claims. Versions stay: nothing that others see has changed."""
    hold.expires_at = deadline
    await session.save(hold)
    await session.fetch(SET_DEADLINE, hold.id, deadline)


async def end(session: Session, holds: Sequence[Hold], to: HoldStatus, cause: transitions.Cause) -> None:
    """Move locked holds to one of their final states, each with its history and fact.

    Raises WrongState where one of them is over already; nothing has changed then.
    """
    changes = []
    for hold in holds:
        HOLD.check(hold.status, to)
        payload = {"hold": str(hold.id), "booking": str(hold.booking_id) if hold.booking_id else None}
        stream = outbox.hold_stream(hold.id)
        changes.append(transitions.Change(hold.id, hold.status, to, stream, f"hold.{to.lower()}", payload))
    await session.fetch(END, to, [hold.id for hold in holds])
    for hold in holds:
        set_committed_value(hold, "status", to)
    await transitions.write(session, HOLD.name, changes, cause)
