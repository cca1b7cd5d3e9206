"""The one place in which claims, holds and pools change together, and the order in which they are locked.

Whatever moves a claim after it was placed goes through here, and locks in one order: idempotency keys; claims by (slot,
unit); holds by id; what hangs on a booking (`services/bookings/rows.py`); and pools by (slot, code), last, each once.
Nobody who waits for a lock holds a later one, so nobody waits in a circle. `take_holds` (placing) keeps the same order;
staff who block seats lock claims and pools, and whoever sets what a pool may sell locks that pool alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm.attributes import set_committed_value

from core.db import Session
from core.errors import Conflict
from core.rows import Reader, Scribe
from core.states import Machine
from models import Claim, Hold, HoldItem, HoldStatus, SeatStatus
from services import idempotency, outbox, transitions
from services.holds.kept import ITEMS
from services.holds.locks import PoolKey
from services.holds.telling import PLACES_BOOKED, PLACES_RELEASED, tell_places, tell_seats, unseated
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


TIMES = ("expires_at", "expires_before_payment", "expires_before_review", "extensions")
"""What a hold's row says of its time, as SET_DEADLINE takes it."""

SET_DEADLINE = """
    WITH theirs AS (UPDATE claims SET expires_at = $2 WHERE hold_id = $1 AND status = 'LOCKED')
    UPDATE holds SET expires_at = $2, expires_before_payment = $3, expires_before_review = $4, extensions = $5
    WHERE id = $1
"""
CLASS = """
    UPDATE hold_items SET booking_class = one.booking_class
    FROM unnest($2::bigint[], $3::varchar[], $4::varchar[]) AS one (slot_id, pool, booking_class)
    WHERE hold_id = $1 AND hold_items.slot_id = one.slot_id AND hold_items.pool = one.pool COLLATE "C"
"""
GIVE = f"WITH classed AS ({CLASS}) UPDATE holds SET booking_id = $5 WHERE id = $1"  # noqa: S608
KEEP_MORE = f"""
    INSERT INTO hold_items (hold_id, slot_id, pool, quantity, units)
    SELECT $1, slot_id, pool, quantity, '{{}}' FROM unnest($2::bigint[], $3::varchar[], $4::int[])
           AS one (slot_id, pool, quantity)
    RETURNING {ITEMS.columns}
"""  # noqa: S608 - our own words
FINISH = f"""
    WITH theirs AS (
        UPDATE claims SET status = $2::varchar, version = nextval('claim_versions'), changed_at = jetway_now(),
                          expires_at = NULL, hold_id = CASE WHEN $2::varchar = 'AVAILABLE' THEN NULL ELSE hold_id END
        WHERE hold_id = ANY ($1::uuid[]) AND status = 'LOCKED'
        RETURNING slot_id, unit, version
    ), changed AS (
        SELECT slot_id, array_agg(unit ORDER BY unit) AS units, array_agg(version ORDER BY unit) AS versions
        FROM theirs GROUP BY slot_id
    ), ended AS (UPDATE holds SET status = $3::varchar WHERE id = ANY ($1::uuid[]))
    SELECT EXISTS (SELECT FROM slots WHERE slots.id = hold_items.slot_id
                                       AND (slots.status <> 'OPEN' OR slots.starts_at <= jetway_now())),
           hold_items.slot_id, changed.units, changed.versions, {ITEMS.columns}
    FROM hold_items LEFT JOIN changed ON changed.slot_id = hold_items.slot_id
    WHERE hold_items.hold_id = ANY ($1::uuid[]) ORDER BY hold_items.hold_id, hold_items.slot_id, hold_items.pool
"""  # noqa: S608 - our own words
CHANGE = """
    UPDATE claims SET status = $3::varchar, version = nextval('claim_versions'), changed_at = jetway_now(),
                      expires_at = NULL, hold_id = CASE WHEN $3::varchar = 'AVAILABLE' THEN NULL ELSE hold_id END
    FROM unnest($4::bigint[], $5::varchar[]) AS one (slot_id, unit)
    WHERE claims.slot_id = one.slot_id AND claims.unit = one.unit COLLATE "C" AND status = $2
      AND ($1::uuid[] IS NULL OR hold_id = ANY ($1::uuid[]))
    RETURNING claims.slot_id, claims.unit, version
"""


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


async def move_claims(
    session: Scribe, hold_ids: Sequence[UUID], came_from: SeatStatus, to: SeatStatus, only: Sequence[SlotUnits]
) -> int:
    """Change those of the locked units that are the holds' and `came_from`, with one fact per slot; how many were.

    A claim that becomes AVAILABLE keeps its row as a tombstone, so that its version goes on counting.
    """
    changes = await change_claims(session, came_from, to, only, hold_ids)
    await tell_seats(session, to, changes, hold_ids)
    return len(changes)


async def change_claims(
    session: Scribe,
    came_from: SeatStatus,
    to: SeatStatus,
    only: Sequence[SlotUnits],
    hold_ids: Sequence[UUID] | None = None,
) -> list[tuple[int, str, int]]:
    """Change those of the locked units that are `came_from`; (slot, unit, version) of each that is `to` now."""
    SEAT.check(came_from, to)
    pairs = [(one.slot_id, unit) for one in only for unit in one.units]
    slots, units = [slot_id for slot_id, _ in pairs], [unit for _, unit in pairs]
    ids = None if hold_ids is None else list(hold_ids)
    changed = await session.fetch(CHANGE, ids, came_from, to, slots, units)
    return [(slot_id, unit, version) for slot_id, unit, version in changed]


async def hand_claims(session: Scribe, came_from: UUID, to: UUID) -> None:
    """Have the seats that one locked hold has sold be another's. Versions stay: nothing that others see has changed."""
    await session.fetch("UPDATE claims SET hold_id = $2 WHERE hold_id = $1", came_from, to)


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


COUNTED = "UPDATE pools SET held = held + $3, sold = sold + $4, blocked = blocked + $5"
NAMED = " WHERE slot_id = $1 AND code = $2"
DONE = " RETURNING 1"
LEFT = "SELECT authorised - blocked - held - sold FROM pools" + NAMED  # noqa: S608 - our own words
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
    session: Scribe,
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


async def left_in(reader: Reader, key: PoolKey) -> int:
    """How many more of a pool may be sold; none where there is no such pool."""
    found = await reader.fetch(LEFT, *key)
    return max(0, found[0][0]) if found else 0


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


async def set_deadline(session: Scribe, hold: Hold, deadline: datetime, **beside: object) -> None:
    """Move the deadline of a locked hold and of its claims, and what else is said of its time, by attribute.

    Versions stay: nothing that others see has changed.
    """
    changed = {"expires_at": deadline, **beside}
    times = {name: changed.get(name, getattr(hold, name)) for name in TIMES}
    await session.fetch(SET_DEADLINE, hold.id, *times.values())
    now_known(hold, changed)


Classed = tuple[HoldItem, str]
"""An item of a hold, and the booking class that is to count it."""


async def give(session: Scribe, hold: Hold, booking_id: UUID | None, classed: Sequence[Classed] = ()) -> None:
    """Have a locked hold belong to a booking, or to its shopper again, and classes count items of it.

    The pools are the caller's to move, last.
    """
    await session.fetch(GIVE, hold.id, *columns_of(classed), booking_id)
    now_known(hold, {"booking_id": booking_id})


async def count_in(session: Scribe, classed: Sequence[Classed]) -> None:
    """Have classes count items of a locked hold; the pools are the caller's to move, last."""
    if classed:
        await session.fetch(CLASS, classed[0][0].hold_id, *columns_of(classed))


def columns_of(classed: Sequence[Classed]) -> tuple[list[int], list[str], list[str]]:
    """Slots, pools and classes, as CLASS takes them; the items' rows say so from here on."""
    for item, wanted in classed:
        set_committed_value(item, "booking_class", wanted)
    items, classes = [item for item, _ in classed], [wanted for _, wanted in classed]
    return [item.slot_id for item in items], [item.pool for item in items], classes


async def keep_more(session: Scribe, hold: Hold, stock: Mapping[PoolKey, int]) -> list[tuple[HoldItem, int]]:
    """Have a locked hold keep so many of pools that it kept nothing of; the items, each with how many."""
    if not stock:
        return []
    slots, codes = [slot_id for slot_id, _ in stock], [code for _, code in stock]
    added = await session.fetch(KEEP_MORE, hold.id, slots, codes, list(stock.values()))
    return whole(ITEMS.known(session, columns) for columns in added)


def now_known(hold: Hold, written: Mapping[str, object]) -> None:
    """Have a hold's row say what was written of it."""
    for name, value in written.items():
        set_committed_value(hold, name, value)


class Finished(NamedTuple):
    """What holds kept when they ended, by item, how many of their units were still theirs, and whether anything of it
    is not sold any more: closed, or begun."""

    kept: list[HoldItem]
    units: int
    closed: bool


async def finish(session: Scribe, holds: Sequence[Hold], to: HoldStatus, cause: transitions.Cause) -> Finished:
    """End locked, ACTIVE holds, with their history and all facts: what they have still is sold, or everybody's.

    Their pools are the caller's to move, last. Raises WrongState where one of them is over already.
    """
    for hold in holds:
        HOLD.check(hold.status, to)
    seat = SeatStatus.BOOKED if to is HoldStatus.BOOKED else SeatStatus.AVAILABLE
    SEAT.check(SeatStatus.LOCKED, seat)
    ids = [hold.id for hold in holds]
    kept, changes, closed = [], {}, False
    for shut, slot_id, units, versions, *columns in await session.fetch(FINISH, ids, seat, to):
        closed = closed or shut
        kept.append(ITEMS.known(session, columns))
        if units is not None:
            changes[slot_id] = list(zip(units, versions, strict=True))
    moved = [(slot_id, *one) for slot_id, those in changes.items() for one in those]
    await tell_seats(session, seat, moved, ids)
    await tell_places(session, PLACES_BOOKED if to is HoldStatus.BOOKED else PLACES_RELEASED, unseated(kept))
    await tell_ended(session, holds, to, cause)
    return Finished(kept, len(moved), closed)


async def end(session: Scribe, hold: Hold, to: HoldStatus, cause: transitions.Cause) -> None:
    """Move a locked hold to one of its final states, with its history and fact, whatever it kept.

    Raises WrongState where it is over already; nothing has changed then.
    """
    HOLD.check(hold.status, to)
    await session.fetch("UPDATE holds SET status = $2 WHERE id = $1", hold.id, to)
    await tell_ended(session, [hold], to, cause)


async def tell_ended(session: Scribe, holds: Sequence[Hold], to: HoldStatus, cause: transitions.Cause) -> None:
    """The history and the facts of holds that have ended, whose rows say so from here on."""
    changes = []
    for hold in holds:
        payload = {"hold": str(hold.id), "booking": str(hold.booking_id) if hold.booking_id else None}
        stream = outbox.hold_stream(hold.id)
        changes.append(transitions.Change(hold.id, hold.status, to, stream, f"hold.{to.lower()}", payload))
        now_known(hold, {"status": to})
    await transitions.write(session, HOLD.name, changes, cause)
