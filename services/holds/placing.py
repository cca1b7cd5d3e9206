"""Placing a hold: everything asked for, or nothing.

`calls.py` is what PostgreSQL is asked, `batches.py` asks it for many at once, `slots.py` knows the layouts of slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NoReturn
from uuid import UUID

from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Unavailable
from models import Hold, HoldStatus
from services import idempotency
from services.holds import expiry
from services.holds.batches import Batches
from services.holds.calls import Answer, Asking, Item, Request
from services.holds.gates import Gates
from services.holds.moves import ClassClosed, Owner, SlotUnits, items, status_now
from services.holds.slots import Layouts
from services.seats import Plan, Plans, Seat, UnknownSeat

MIN_MINUTES, MAX_MINUTES = 5, 15
MAX_SEATS_PER_SLOT = 9
MAX_SLOTS = 6
"""An itinerary has at most six slices."""

OPERATION = "holdSeats"
IN_READING_ORDER = attrgetter("row_number", "column")
ATTEMPTS = 4
"""How often a request is prepared anew because a slot's layout was changed under it, or its pool was relieved."""


class SeatsTaken(Conflict):
    """Some of the seats are somebody else's: `taken` tells which, by slot. Nothing was held."""

    default_code = "SEATS_TAKEN"

    def __init__(self, taken: dict[int, list[str]]) -> None:
        numbers = ", ".join(seat for seats in taken.values() for seat in seats)
        super().__init__(f"Somebody else has taken {numbers}. Choose other seats.")
        self.taken = taken


class SoldOut(Conflict):
    """Fewer are left of a slot's pool than were asked for: `left`. Nothing was held."""

    default_code = "SOLD_OUT"

    def __init__(self, slot_id: int, pool: str, left: int) -> None:
        super().__init__(f"Fewer seats are left in {pool} than you asked for.")
        self.slot_id = slot_id
        self.pool = pool
        self.left = left


class SalesClosed(Conflict):
    """The slot is not sold any more: it has begun, or was cancelled."""

    default_code = "SALES_CLOSED"


class UnknownPool(Invalid):
    """The slot has no such pool."""

    default_code = "UNKNOWN_POOL"


@dataclass(frozen=True, kw_only=True)
class Want(SlotUnits):
    """What is wanted of one slot: units, and quantities by pool of units that are chosen later.

    `classes` tells by pool which booking class counts all that is wanted of it, where that is known already.
    """

    units: tuple[str, ...] = ()
    quantities: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A hold as the database answered: what can be shown without asking it again. Times are UTC.

    `status` is that of the moment of the answer, which is not ACTIVE where a request was repeated late.
    """

    id: UUID
    owner_id: UUID | None
    status: HoldStatus
    minutes: int
    extensions: int
    created_at: datetime
    expires_at: datetime
    cap_at: datetime
    items: tuple[Item, ...]


class Placer:
    """Places holds. One per process: has connections of its own, and owns its transactions, which are batches."""

    def __init__(self, db: Database, plans: Plans, gates: Gates | None = None) -> None:
        self._db = db
        self._gates = gates or Gates()
        self._layouts = Layouts(db, plans)
        self._batches = Batches(db, self._gates)

    async def place(
        self,
        owner: Owner,
        wants: Sequence[Want],
        minutes: int,
        key: str,
        *,
        operation: str = OPERATION,
        asked: object | None = None,
    ) -> Placed:
        """Hold all of that for `minutes` (5 to 15); the same key again, the same hold as it is now.

        `asked` is what the client asked for where that is not the wants themselves: the key stands for that.

        Raises Invalid (minutes, seats, quantities, key), UnknownSeat, UnknownPool, NotFound (the slot), SalesClosed,
        SeatsTaken, SoldOut, ClassClosed, idempotency.KeyReused; nothing is held then. Raises Unavailable where the
        database is away: whether something is held is unknown then, and the same key tells.
        """
        check_shape(wants, minutes)
        key = idempotency.check_key(owner.key, key)
        print_ = fingerprint(wants, minutes, asked)
        asking = Asking(owner.user_id, owner.key, operation, key, print_, minutes)
        try:
            request, answer = await self._ask(asking, wants)
        except (NotFound, UnknownSeat):
            # The slot may have changed since the first time that this was asked.
            if (known := await self._known(asking)) is None:
                raise
            return known
        return await self._decide(request, wants, answer)

    async def aclose(self) -> None:
        """Answer whoever waits, and close the connections. Whoever comes later is told Unavailable."""
        await self._batches.aclose()
        await self._layouts.aclose()
        await self._gates.aclose()

    async def _ask(self, asking: Asking, wants: Sequence[Want]) -> tuple[Request, Answer]:
        """Ask the database, again where what was known of a slot was out of date, or expired holds filled a pool."""
        alone = False
        slot_ids = [want.slot_id for want in wants]
        for _ in range(ATTEMPTS):
            plans = self._layouts.known(slot_ids) or await self._layouts.of(slot_ids)
            request = prepare(asking, wants, plans)
            answer = await self._batches.ask(request, alone=alone)
            if answer.outcome in ("LAYOUT_CHANGED", "NO_SLOT"):
                self._layouts.forget(slot_ids)
            elif answer.outcome in ("POOL_FULL", "CLASS_FULL") and answer.details["due"] and not alone:
                async with self._db.transaction() as session:
                    await expiry.expire_due_in(session, [(item.slot_id, item.pool) for item in request.items])
                alone = True
            else:
                return request, answer
        raise Unavailable("This flight is being changed. Ask again.")

    async def _known(self, asking: Asking) -> Placed | None:
        """The hold that came of this key before; raises KeyReused where it stands for something else."""
        async with self._db.reading(primary=True) as session:
            hold_id = await idempotency.known(
                session, asking.key_owner, asking.operation, asking.key, asking.fingerprint
            )
        return None if hold_id is None else await self._placed(hold_id)

    async def _placed(self, hold_id: UUID) -> Placed:
        """A hold that was placed before, as it is now."""
        async with self._db.reading(primary=True) as session:
            hold = await session.get_one(Hold, hold_id)
            kept = await items(session, hold_id)
            return Placed(
                id=UUID(int=hold.id.int),
                owner_id=hold.owner_id,
                status=await status_now(session, hold),
                minutes=hold.minutes,
                extensions=hold.extensions,
                created_at=hold.created_at,
                expires_at=hold.expires_at,
                cap_at=hold.cap_at,
                items=tuple(
                    Item(one.slot_id, one.pool, one.quantity, tuple(one.units), one.booking_class) for one in kept
                ),
            )

    async def _decide(self, request: Request, wants: Sequence[Want], answer: Answer) -> Placed:
        """The hold, or the refusal that the answer says."""
        if answer.times is not None:
            return Placed(
                id=request.entry.hold_id,
                owner_id=request.asking.owner_id,
                status=HoldStatus.ACTIVE,
                minutes=request.asking.minutes,
                extensions=0,
                created_at=answer.times.created_at,
                expires_at=answer.times.expires_at,
                cap_at=answer.times.cap_at,
                items=request.items,
            )
        if answer.outcome != "REPLAYED":
            refuse(wants, answer)
        return await self._placed(answer.hold_id)


def refuse(wants: Sequence[Want], answer: Answer) -> NoReturn:
    """Raise what an answer says that is neither PLACED nor REPLAYED."""
    about = answer.details
    match answer.outcome:
        case "KEY_REUSED":
            raise idempotency.KeyReused
        case "UNITS_TAKEN":
            taken: dict[int, list[str]] = {}
            for slot_id, unit in answer.taken:
                taken.setdefault(slot_id, []).append(unit)
            raise SeatsTaken(taken)
        case "SLOT_CLOSED":
            raise SalesClosed("This flight is not sold any more.")
        case "NO_POOL":
            index = [want.slot_id for want in wants].index(about["slot"])
            raise UnknownPool(f"This flight has no {about['pool']}.", field=f"flights.{index}.unassigned")
        case "POOL_FULL":
            raise SoldOut(about["slot"], about["pool"], about["left"])
        case "CLASS_FULL" | "NO_CLASS":
            raise ClassClosed([(about["slot"], about["pool"])])
        case outcome:
            raise AssertionError(f"take_holds answered {outcome}")


def check_shape(wants: Sequence[Want], minutes: int) -> None:
    """What can be refused without asking the database."""
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise Invalid(f"A hold lasts {MIN_MINUTES} to {MAX_MINUTES} minutes.", field="minutes")
    if not 1 <= len(wants) <= MAX_SLOTS:
        raise Invalid(f"A hold covers 1 to {MAX_SLOTS} flights.", field="flights")
    if len({want.slot_id for want in wants}) != len(wants):
        raise Invalid("Name each flight once.", field="flights")
    for index, want in enumerate(wants):
        if want.quantities and min(want.quantities.values()) < 1:
            raise Invalid("Ask for at least one.", field=f"flights.{index}.unassigned")
        if not 1 <= len(want.units) + sum(want.quantities.values()) <= MAX_SEATS_PER_SLOT:
            raise Invalid(f"Choose 1 to {MAX_SEATS_PER_SLOT} seats of a flight.", field=f"flights.{index}.seats")
        if len(set(want.units)) != len(want.units):
            raise Invalid("Name each seat once.", field=f"flights.{index}.seats")


def fingerprint(wants: Sequence[Want], minutes: int, asked: object | None) -> bytes:
    """What an idempotency key stands for: the same seats in another order are the same request."""
    if asked is not None:
        return idempotency.fingerprint([minutes, asked])
    pairs = sorted([(want.slot_id, unit) for want in wants for unit in want.units])
    if not any(want.quantities or want.classes for want in wants):
        return idempotency.fingerprint([minutes, pairs])
    counted = sorted((want.slot_id, pool, count) for want in wants for pool, count in want.quantities.items())
    classed = sorted((want.slot_id, pool, name) for want in wants for pool, name in want.classes.items())
    return idempotency.fingerprint([minutes, pairs, counted, classed])


def prepare(asking: Asking, wants: Sequence[Want], plans: Mapping[int, Plan | None]) -> Request:
    """The request with its slots and items; raises NotFound (the slot) and UnknownSeat."""
    slots = []
    kept: list[Item] = []
    for index, want in enumerate(wants):
        try:
            plan = plans[want.slot_id]
        except KeyError:
            raise NotFound("There is no such flight.") from None
        slots.append((want.slot_id, plan.layout_id if plan is not None and want.units else None))
        kept += items_of(want, plan, index)
    kept.sort()
    return Request(asking, slots, tuple(kept))


def items_of(want: Want, plan: Plan | None, index: int) -> list[Item]:
    """What is wanted of one slot, by pool: its seats in the order of reading."""
    by_pool: dict[str, list[Seat]] = {pool: [] for pool in want.quantities}
    for unit in want.units:
        seat = None if plan is None else plan.seats.get(unit)
        if seat is None:
            raise UnknownSeat(f"There is no seat {unit} on this flight.", field=f"flights.{index}.seats")
        by_pool.setdefault(seat.section, []).append(seat)
    items = []
    for pool, seats in by_pool.items():
        seats.sort(key=IN_READING_ORDER)
        units = tuple([seat.number for seat in seats])
        quantity = len(units) + want.quantities.get(pool, 0)
        items.append(Item(want.slot_id, pool, quantity, units, want.classes.get(pool)))
    return items
