"""Placing a hold: everything asked for, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Integer, String

from core.db import Database, ReadSession, Session
from core.errors import Conflict, Invalid, NotFound
from core.ids import uuid7
from models import Slot
from services import idempotency
from services.holds import expiry
from services.holds.moves import Owner, SlotUnits, now
from services.seats import Plan, Plans, UnknownSeat

MIN_MINUTES, MAX_MINUTES = 5, 15
MAX_SEATS_PER_SLOT = 9
MAX_SLOTS = 6
"""An itinerary has at most six slices."""


class SeatsTaken(Conflict):
    """Some of the seats are somebody else's: `taken` tells which, by slot. Nothing was held."""

    default_code = "SEATS_TAKEN"

    def __init__(self, taken: dict[int, list[str]]) -> None:
        numbers = ", ".join(seat for seats in taken.values() for seat in seats)
        super().__init__(f"Somebody else has taken {numbers}. Choose other seats.")
        self.taken = taken


class SoldOut(Conflict):
    """Fewer are left than were asked for."""

    default_code = "SOLD_OUT"


class SalesClosed(Conflict):
    """The slot is not sold any more: it has begun, or was cancelled."""

    default_code = "SALES_CLOSED"


TAKE_HOLD = text(
    """
    SELECT outcome, hold_id, expires_at, details
    FROM take_hold(:hold, :owner, :key_owner, :key, :fingerprint, :minutes,
                   :slots, :units, :item_slots, :item_pools, :item_quantities)
    """
).bindparams(
    bindparam("slots", type_=ARRAY(BigInteger)),
    bindparam("units", type_=ARRAY(String)),
    bindparam("item_slots", type_=ARRAY(BigInteger)),
    bindparam("item_pools", type_=ARRAY(String)),
    bindparam("item_quantities", type_=ARRAY(Integer)),
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A hold that somebody asks for, checked and counted: what `take_hold` is called with."""

    owner: Owner
    key: str
    minutes: int
    wants: tuple[SlotUnits, ...]
    quantities: dict[tuple[int, str], int]

    def parameters(self) -> dict[str, Any]:
        """The arguments of `take_hold`. The hold's id is new for each attempt."""
        pairs = [(some.slot_id, unit) for some in self.wants for unit in some.units]
        counted = sorted(self.quantities.items())
        return {
            "hold": uuid7(),
            "owner": self.owner.user_id,
            "key_owner": self.owner.key,
            "key": self.key,
            "fingerprint": idempotency.fingerprint([self.minutes, sorted(pairs)]),
            "minutes": self.minutes,
            "slots": [slot_id for slot_id, _ in pairs],
            "units": [unit for _, unit in pairs],
            "item_slots": [slot_id for (slot_id, _), _ in counted],
            "item_pools": [pool for (_, pool), _ in counted],
            "item_quantities": [quantity for _, quantity in counted],
        }


async def place(db: Database, plans: Plans, owner: Owner, wants: Sequence[SlotUnits], minutes: int, key: str) -> UUID:
    """Hold all of those seats for `minutes` (5 to 15) and return the hold's id; the same key again, the same hold.

    Takes the database and owns its transactions: a pool that seems full is relieved of its expired holds, which must
    not happen while this request's own claims are locked, and then asked once more.

    Raises Invalid (minutes, seats, key), UnknownSeat, NotFound (the slot), SalesClosed, SeatsTaken, SoldOut,
    idempotency.KeyReused. Nothing is held then.
    """
    check_shape(wants, minutes)
    key = idempotency.check_key(owner.key, key)
    async with db.transaction() as session:
        request = await prepare(session, plans, owner, wants, minutes, key)
        outcome = await attempt(session, request)
    if outcome.outcome == "POOL_FULL":
        async with db.transaction() as session:
            await expiry.expire_due_in(session, list(request.quantities))
        async with db.transaction() as session:
            outcome = await attempt(session, request)
    return decide(outcome)


async def attempt(session: Session, request: Request) -> Any:
    """One call of `take_hold`; its row."""
    return (await session.execute(TAKE_HOLD, request.parameters())).one()


def decide(row: Any) -> UUID:
    """The hold's id, or the refusal that `take_hold` answered."""
    match row.outcome:
        case "PLACED" | "REPLAYED":
            return UUID(str(row.hold_id))
        case "KEY_REUSED":
            raise idempotency.KeyReused
        case "UNITS_TAKEN":
            taken: dict[int, list[str]] = {}
            for one in row.details:
                taken.setdefault(one["slot"], []).append(one["unit"])
            raise SeatsTaken(taken)
        case "POOL_FULL":
            raise SoldOut(f"Fewer seats are left in {row.details['pool']} than you asked for.")
        case "SLOT_CLOSED":
            raise SalesClosed("This flight is not sold any more.")
        case other:
            raise AssertionError(f"take_hold answered {other}")


def check_shape(wants: Sequence[SlotUnits], minutes: int) -> None:
    """What can be refused without asking the database."""
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise Invalid(f"A hold lasts {MIN_MINUTES} to {MAX_MINUTES} minutes.", field="minutes")
    if not 1 <= len(wants) <= MAX_SLOTS:
        raise Invalid(f"A hold covers 1 to {MAX_SLOTS} flights.", field="flights")
    if len({some.slot_id for some in wants}) != len(wants):
        raise Invalid("Name each flight once.", field="flights")
    for index, some in enumerate(wants):
        field = f"flights.{index}.seats"
        if not 1 <= len(some.units) <= MAX_SEATS_PER_SLOT:
            raise Invalid(f"Choose 1 to {MAX_SEATS_PER_SLOT} seats of a flight.", field=field)
        if len(set(some.units)) != len(some.units):
            raise Invalid("Name each seat once.", field=field)


async def prepare(
    session: ReadSession, plans: Plans, owner: Owner, wants: Sequence[SlotUnits], minutes: int, key: str
) -> Request:
    """Check the seats against the slots' layouts, and count how many of each pool they are."""
    ids = [some.slot_id for some in wants]
    slots = {slot.id: slot for slot in await session.scalars(select(Slot).where(Slot.id.in_(ids)))}
    moment = await now(session)
    layouts = await plans.of_slots(session, slots.values())
    counted: Counter[tuple[int, str]] = Counter()
    for index, some in enumerate(wants):
        slot, plan = slots.get(some.slot_id), layouts.get(some.slot_id)
        if slot is None or plan is None:
            raise NotFound("There is no such flight.")
        if slot.starts_at <= moment:
            raise SalesClosed("This flight has left.")
        for unit in some.units:
            counted[some.slot_id, section_of(plan, unit, index)] += 1
    return Request(owner=owner, key=key, minutes=minutes, wants=tuple(wants), quantities=dict(counted))


def section_of(plan: Plan, unit: str, index: int) -> str:
    """The pool that counts a seat; raises UnknownSeat where the layout has none of that number."""
    seat = plan.seats.get(unit)
    if seat is None:
        raise UnknownSeat(f"There is no seat {unit} on this flight.", field=f"flights.{index}.seats")
    return seat.section
