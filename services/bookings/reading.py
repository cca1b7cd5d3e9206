"""Finding bookings, and what hangs on them, many at a time."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from core.db import ReadSession
from core.ids import is_record_locator
from models import Booking, BookingLine, BookingSegment, Passenger, Payment, SeatAssignment, Ticket
from services.holds import PoolKey, SlotUnits

Row = TypeVar("Row")

UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode does not take apart into a plain letter and a mark."""


async def by_pnr(session: ReadSession, pnr: str, last_name: str) -> Booking | None:
    """The booking of that locator, if one of its passengers has that last name; None says nothing more.

    Case, accents and punctuation don't matter. A locator that nobody has costs the same work as a wrong name.
    """
    pnr = pnr.strip().upper()
    if not is_record_locator(pnr):
        return None
    asked = digest(last_name)
    rows = await session.execute(
        select(Booking, Passenger.last_name)
        .join(Passenger, Passenger.booking_id == Booking.id)
        .where(Booking.pnr == pnr)
        .order_by(Passenger.ordinal)
    )
    found: Booking | None = None
    for booking, name in rows:
        if hmac.compare_digest(digest(name), asked):
            found = booking
    return found if plain(last_name) else None


def digest(name: str) -> bytes:
    """SHA-256 of a name's letters: compared in constant time, whatever their number."""
    return hashlib.sha256(plain(name).encode()).digest()


def plain(name: str) -> str:
    """A name's letters alone, without case, accents and punctuation: `O’Brien-Müller` is `obrienmuller`."""
    letters = unicodedata.normalize("NFKD", name.casefold()).translate(UNDECOMPOSED)
    return "".join(one for one in letters if one.isalpha())


@dataclass(frozen=True, kw_only=True)
class Places:
    """What the passengers of a booking have: seats by flight, and places without a seat by pool."""

    seats: Sequence[SlotUnits]
    unseated: Mapping[PoolKey, int]


async def places_of(session: ReadSession, booking_id: UUID) -> Places:
    """The places of a booking's passengers on its flights."""
    chosen = (
        select(SeatAssignment.slot_id, SeatAssignment.pool, SeatAssignment.unit)
        .join(Passenger, Passenger.id == SeatAssignment.passenger_id)
        .where(Passenger.booking_id == booking_id)
        .order_by(SeatAssignment.slot_id, SeatAssignment.unit)
    )
    units: dict[int, list[str]] = defaultdict(list)
    unseated = Counter[PoolKey]()
    for slot_id, pool, unit in await session.execute(chosen):
        if unit is None:
            unseated[slot_id, pool] += 1
        else:
            units[slot_id].append(unit)
    seats = [SlotUnits(slot_id=slot_id, units=tuple(some)) for slot_id, some in units.items()]
    return Places(seats=seats, unseated=unseated)


async def grouped(
    session: ReadSession,
    table: type[Row],
    key: InstrumentedAttribute[UUID],
    order: InstrumentedAttribute[int] | InstrumentedAttribute[str] | InstrumentedAttribute[UUID],
    keys: Iterable[UUID],
    key_of: Callable[[Row], UUID],
) -> dict[UUID, list[Row]]:
    """The rows of a table by one of its keys, in order; every key that was asked for is there."""
    found: dict[UUID, list[Row]] = {one: [] for one in keys}
    for row in await session.scalars(select(table).where(key.in_(found)).order_by(key, order)):
        found[key_of(row)].append(row)
    return found


async def by_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, Booking]:
    """The bookings with those keys; what there is not is left out."""
    return {row.id: row for row in await session.scalars(select(Booking).where(Booking.id.in_(list(ids))))}


async def passengers_by_booking_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[Passenger]]:
    """Who travels, in the order in which they were named."""
    return await grouped(session, Passenger, Passenger.booking_id, Passenger.ordinal, ids, lambda row: row.booking_id)


async def lines_by_booking_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[BookingLine]]:
    """The lines of the price, in order."""
    key, order = BookingLine.booking_id, BookingLine.ordinal
    return await grouped(session, BookingLine, key, order, ids, lambda row: row.booking_id)


async def segments_by_booking_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[BookingSegment]]:
    """The flights, in the order of travel."""
    key, order = BookingSegment.booking_id, BookingSegment.ordinal
    return await grouped(session, BookingSegment, key, order, ids, lambda row: row.booking_id)


async def payments_by_booking_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """Every attempt to pay, the first one first."""
    return await grouped(session, Payment, Payment.booking_id, Payment.id, ids, lambda row: row.booking_id)


async def seats_by_passenger_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[SeatAssignment]]:
    """The seats that each passenger has chosen, by flight."""
    key, order = SeatAssignment.passenger_id, SeatAssignment.slot_id
    places = await grouped(session, SeatAssignment, key, order, ids, lambda row: row.passenger_id)
    return {id_: [place for place in some if place.unit is not None] for id_, some in places.items()}


async def tickets_by_passenger_ids(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, list[Ticket]]:
    """The tickets of each passenger, in the order of their numbers."""
    return await grouped(session, Ticket, Ticket.passenger_id, Ticket.number, ids, lambda row: row.passenger_id)
