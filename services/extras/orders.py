"""The extras of a booking's passengers: ordered with it, issued once they are paid for, withdrawn with it or alone.

Source: IATA Resolution 725 (electronic miscellaneous document). Each has a document of its own, with a number like a
ticket's: the accounting code of the airline that sells it, then ten digits from the sequence of the tickets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from core.db import ReadSession, Session
from core.detached import Detached
from core.ids import uuid7
from core.money import Money
from core.rows import Reader, Scribe
from core.states import Machine
from models import BookingExtra, ExtraKind, ExtraStatus
from services import outbox, tickets, transitions
from services.extras.choosing import Chosen, Had
from services.holds import PoolKey
from services.transitions import Cause, Change

EXTRA = Machine(
    "extra",
    ExtraStatus,
    ExtraStatus.ORDERED,
    {
        ExtraStatus.ORDERED: frozenset({ExtraStatus.ISSUED}),
        ExtraStatus.ISSUED: frozenset({ExtraStatus.VOID, ExtraStatus.REFUNDED}),
        ExtraStatus.VOID: frozenset(),
        ExtraStatus.REFUNDED: frozenset(),
    },
)
"""What is ORDERED and never paid for ends with its booking, which says so."""

FACTS: Mapping[ExtraStatus, str] = {
    ExtraStatus.ORDERED: "extra.ordered",
    ExtraStatus.ISSUED: "extra.issued",
    ExtraStatus.VOID: "extra.voided",
    ExtraStatus.REFUNDED: "extra.refunded",
}

HAD = (ExtraStatus.ORDERED, ExtraStatus.ISSUED)
"""What a passenger still has."""


@dataclass(frozen=True, kw_only=True)
class Owned:
    """An extra that a passenger has, or had, as the catalogue names it. `amount` is for all of it."""

    id: UUID
    passenger_id: UUID
    slot_id: int | None
    pool: str | None
    code: str
    kind: ExtraKind
    name: str
    refundable: bool
    quantity: int
    amount: Money
    status: ExtraStatus
    number: str | None


async def order(
    scribe: Scribe, booking_id: UUID, passengers: Sequence[UUID], chosen: Sequence[Chosen], cause: Cause
) -> None:
    """Write down what was chosen for passengers of a locked or new booking, by their places."""
    await write(
        scribe,
        [
            BookingExtra(
                id=uuid7(),
                booking_id=booking_id,
                passenger_id=passengers[one.place],
                extra_id=one.extra.extra_id,
                slot_id=one.slot_id,
                pool=one.extra.pool,
                quantity=one.quantity,
                unit_amount=one.price.minor_units,
                status=EXTRA.initial,
            )
            for one in chosen
        ],
        cause,
    )


async def write(scribe: Scribe, rows: Sequence[BookingExtra], cause: Cause) -> None:
    """Write extras of a locked or new booking, all of them ORDERED."""
    for row in rows:
        await scribe.insert(row)
    if rows:
        await tell(scribe, rows[0].booking_id, [(row, None) for row in rows], cause)


ORDERS = Detached(BookingExtra)
ORDERED = f"""
    SELECT {ORDERS.columns}, airlines.accounting_code FROM booking_extras
    JOIN extras ON extras.id = booking_extras.extra_id
    JOIN airlines ON airlines.iata_code = extras.airline_code
    WHERE booking_extras.booking_id = $1 AND booking_extras.status = $2
    ORDER BY booking_extras.id FOR UPDATE OF booking_extras
"""  # noqa: S608 - our own words


async def issue(scribe: Scribe, booking_id: UUID, cause: Cause) -> None:
    """Issue the documents of everything that is ordered with a locked booking."""
    found = await scribe.fetch(ORDERED, booking_id, ExtraStatus.ORDERED)
    if not found:
        return
    ((first,),) = await scribe.fetch("SELECT draw_serials($1)", len(found))
    rows = [ORDERS.known(scribe, columns) for columns in found]
    for serial, (row, columns) in enumerate(zip(rows, found, strict=True), first):
        row.status, row.number = ExtraStatus.ISSUED, tickets.number(columns[-1], serial)
    await scribe.save(*rows)
    await tell(scribe, booking_id, [(row, ExtraStatus.ORDERED) for row in rows], cause)


async def close(
    session: Session, booking_id: UUID, to: ExtraStatus, cause: Cause, only: Collection[UUID] | None = None
) -> None:
    """Move every issued extra of a locked booking, or those of the keys `only`, to VOID or REFUNDED."""
    chosen = select(BookingExtra).where(
        BookingExtra.booking_id == booking_id, BookingExtra.status == ExtraStatus.ISSUED
    )
    if only is not None:
        chosen = chosen.where(BookingExtra.id.in_(only))
    rows = (await session.scalars(chosen.order_by(BookingExtra.id).with_for_update())).all()
    changed = [(row, row.status) for row in rows]
    for row, came_from in changed:
        EXTRA.check(came_from, to)
        row.status = to
    await session.flush()
    await tell(session, booking_id, changed, cause)


async def tell(
    scribe: Scribe, booking_id: UUID, changed: Iterable[tuple[BookingExtra, ExtraStatus | None]], cause: Cause
) -> None:
    """A line of history and a fact for each extra that changed, with where it came from."""
    stream = outbox.booking_stream(booking_id)
    changes = [
        Change(row.id, came_from, row.status, stream, FACTS[row.status], payload(row)) for row, came_from in changed
    ]
    await transitions.write(scribe, EXTRA.name, changes, cause)


def payload(row: BookingExtra) -> dict[str, object]:
    """What a fact says of an extra beside its status."""
    return {
        "extra": str(row.id),
        "booking": str(row.booking_id),
        "passenger": str(row.passenger_id),
        "slot": row.slot_id,
        "pool": row.pool,
        "quantity": row.quantity,
        "amount": row.quantity * row.unit_amount,
        "number": row.number,
    }


async def quantities(
    session: ReadSession,
    booking_id: UUID,
    passengers: Collection[UUID] | None = None,
    slots: Collection[int] | None = None,
) -> dict[PoolKey, int]:
    """How many a booking's passengers still have of each pool that counts extras; some of them, or on some flights."""
    chosen = (
        select(BookingExtra.slot_id, BookingExtra.pool, func.sum(BookingExtra.quantity))
        .where(BookingExtra.booking_id == booking_id, BookingExtra.pool.is_not(None), BookingExtra.status.in_(HAD))
        .group_by(BookingExtra.slot_id, BookingExtra.pool)
    )
    if passengers is not None:
        chosen = chosen.where(BookingExtra.passenger_id.in_(passengers))
    if slots is not None:
        chosen = chosen.where(BookingExtra.slot_id.in_(slots))
    counted = (await session.execute(chosen)).all()
    return {(slot_id, pool): int(count) for slot_id, pool, count in counted if slot_id is not None and pool is not None}


OWNED = """
    SELECT had.id, had.passenger_id, had.slot_id, had.pool, extras.code, extras.kind, extras.name, extras.refundable,
           had.quantity, had.quantity * had.unit_amount, bookings.currency, had.status, had.number
    FROM booking_extras AS had
    JOIN extras ON extras.id = had.extra_id
    JOIN bookings ON bookings.id = had.booking_id
    WHERE had.{0} = ANY ($1::uuid[]) ORDER BY had.id
"""
BY_PASSENGER, BY_BOOKING = OWNED.format("passenger_id"), OWNED.format("booking_id")


async def of_passengers(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Owned]]:
    """What passengers have, or had, in the order in which they ordered it."""
    found: dict[UUID, list[Owned]] = {one: [] for one in ids}
    for columns in await reader.fetch(BY_PASSENGER, list(found)):
        one = owned(columns)
        found[one.passenger_id].append(one)
    return found


async def owned_by(reader: Reader, booking_id: UUID) -> list[Owned]:
    """What the passengers of a booking still have."""
    found = [owned(columns) for columns in await reader.fetch(BY_BOOKING, [booking_id])]
    return [one for one in found if one.status in HAD]


def owned(columns: Sequence[Any]) -> Owned:
    """The extra of the columns of `OWNED`."""
    id_, passenger_id, slot_id, pool, code, kind, name, refundable, quantity, amount, currency, status, number = columns
    return Owned(
        id=id_,
        passenger_id=passenger_id,
        slot_id=slot_id,
        pool=pool,
        code=code,
        kind=ExtraKind(kind),
        name=name,
        refundable=refundable,
        quantity=quantity,
        amount=Money(amount, currency),
        status=ExtraStatus(status),
        number=number,
    )


def had_by(owned: Iterable[Owned], passenger_id: UUID) -> dict[Had, int]:
    """How many of what a passenger still has, among those extras."""
    count: dict[Had, int] = {}
    for one in owned:
        if one.passenger_id == passenger_id and one.status in HAD:
            count[one.code, one.slot_id] = count.get((one.code, one.slot_id), 0) + one.quantity
    return count
