"""Placing a hold: everything asked for, or nothing.

`requests.py` is what is wanted, `calls.py` what PostgreSQL is asked, `batches.py` asks it for many at once, `slots.py`
knows the seats of slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from core.db import Database
from core.errors import Conflict, Invalid, NotFound, Unavailable
from models import Hold, HoldStatus
from services import idempotency
from services.holds.batches import Batches
from services.holds.calls import Answer, Times
from services.holds.gates import Gates
from services.holds.locks import items, status_now
from services.holds.moves import ClassClosed, Owner
from services.holds.relief import Relief
from services.holds.requests import Asking, Item, Request, Want, check_shape, fingerprint
from services.holds.slots import Layouts
from services.seats import Plans, UnknownSeat

OPERATION = "holdSeats"
ATTEMPTS = 4
"""How often a request is prepared anew because a slot's layout was changed under it, or its pool was relieved."""

MOVED = ("LAYOUT_CHANGED", "NO_SLOT")
FULL = ("POOL_FULL", "CLASS_FULL")
"""Answers after which it is asked again: what was known of a slot is out of date; expired holds may fill a pool."""


class SeatsTaken(Conflict):
    """Some of the seats are somebody else's: `taken` tells which, by slot. Nothing was held."""

    default_code = "SEATS_TAKEN"

    def __init__(self, taken: dict[int, list[str]]) -> None:
        numbers = ", ".join([seat for seats in taken.values() for seat in seats])
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
        self._relief = Relief(db)

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
        key_owner = owner.key
        key = idempotency.check_key(key_owner, key)
        asking = Asking(owner.user_id, key_owner, operation, key, minutes, asked)
        slot_ids = [want.slot_id for want in wants]
        relieved = False
        for _ in range(ATTEMPTS):
            try:
                request = Request(asking, wants, self._layouts.known(slot_ids) or await self._layouts.of(slot_ids))
            except (NotFound, UnknownSeat):
                # The slot may have changed since the first time that this was asked.
                if (known := await self._known(asking, wants)) is None:
                    raise
                return known
            answer = await self._batches.ask(request)
            if answer.times is not None:
                return placed(request, answer.times)
            if answer.hold_id is not None:
                return await self._placed(answer.hold_id)
            if answer.outcome in MOVED:
                self._layouts.forget(slot_ids)
            elif answer.outcome in FULL and answer.details["due"] and not relieved:
                await self._relief.of([(item.slot_id, item.pool) for item in request.items])
                relieved = True
            else:
                refuse(wants, answer)
        raise Unavailable("This flight is being changed. Ask again.")

    async def aclose(self) -> None:
        """Answer whoever waits, and close the connections. Whoever comes later is told Unavailable."""
        await self._batches.aclose()
        await self._relief.aclose()
        await self._layouts.aclose()
        await self._gates.aclose()

    async def _known(self, asking: Asking, wants: Sequence[Want]) -> Placed | None:
        """The hold that came of this key before; raises KeyReused where it stands for something else."""
        print_ = fingerprint(wants, asking.minutes, asking.asked)
        async with self._db.reading(primary=True) as session:
            hold_id = await idempotency.known(session, asking.key_owner, asking.operation, asking.key, print_)
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


def placed(request: Request, times: Times) -> Placed:
    """The hold that came of a request just now."""
    return Placed(
        id=request.hold_id,
        owner_id=request.asking.owner_id,
        status=HoldStatus.ACTIVE,
        minutes=request.asking.minutes,
        extensions=0,
        created_at=times.created_at,
        expires_at=times.expires_at,
        cap_at=times.cap_at,
        items=request.items,
    )


def refuse(wants: Sequence[Want], answer: Answer) -> NoReturn:
    """Raise what an answer says that is neither PLACED nor REPLAYED."""
    about = answer.details
    match answer.outcome:
        case "UNITS_TAKEN":
            taken: dict[int, list[str]] = {}
            for slot_id, unit in answer.taken:
                taken.setdefault(slot_id, []).append(unit)
            raise SeatsTaken(taken)
        case "KEY_REUSED":
            raise idempotency.KeyReused
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
