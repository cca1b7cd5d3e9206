"""Finding bookings, and what hangs on them, many at a time."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import select

from core.db import ReadSession
from core.detached import Detached
from core.gathering import ByKeys
from core.ids import is_record_locator
from core.rows import Reader
from models import Base, Booking, BookingLine, BookingSegment, Passenger, Payment, Refund, SeatAssignment, Ticket
from services import extras
from services.holds import PoolKey, SlotUnits

Row = TypeVar("Row", bound=Base)

UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
"""Letters that Unicode does not take apart into a plain letter and a mark."""


async def by_pnr(session: ReadSession, pnr: str, last_name: str) -> Booking | None:
    """The booking of that locator, if one who travels on it has that last name; None says nothing more.

    Case, accents and punctuation don't matter. A locator that nobody has costs the same work as a wrong name.
    """
    pnr = pnr.strip().upper()
    if not is_record_locator(pnr):
        return None
    asked = digest(last_name)
    rows = await session.execute(
        select(Booking, Passenger.last_name)
        .join(Passenger, Passenger.booking_id == Booking.id)
        .where(Booking.pnr == pnr, Passenger.cancelled_at.is_(None))
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
    """What the passengers of a booking have: seats by flight, and by pool places without a seat and counted extras."""

    seats: Sequence[SlotUnits]
    unseated: Mapping[PoolKey, int]


async def places_of(
    session: ReadSession,
    booking_id: UUID,
    passengers: Sequence[UUID] | None = None,
    slots: Sequence[int] | None = None,
) -> Places:
    """The places of a booking's passengers on its flights, and the stock of what they have beside; of some passengers
    only, or on some of the flights."""
    chosen = (
        select(SeatAssignment.slot_id, SeatAssignment.pool, SeatAssignment.unit)
        .join(Passenger, Passenger.id == SeatAssignment.passenger_id)
        .where(Passenger.booking_id == booking_id)
        .order_by(SeatAssignment.slot_id, SeatAssignment.unit)
    )
    if passengers is not None:
        chosen = chosen.where(SeatAssignment.passenger_id.in_(passengers))
    if slots is not None:
        chosen = chosen.where(SeatAssignment.slot_id.in_(slots))
    units: dict[int, list[str]] = defaultdict(list)
    unseated = Counter[PoolKey]()
    for slot_id, pool, unit in await session.execute(chosen):
        if unit is None:
            unseated[slot_id, pool] += 1
        else:
            units[slot_id].append(unit)
    seats = [SlotUnits(slot_id=slot_id, units=tuple(some)) for slot_id, some in units.items()]
    unseated.update(await extras.quantities(session, booking_id, passengers, slots))
    return Places(seats=seats, unseated=unseated)


class Hanging(Generic[Row]):
    """The rows of a table that hang on something, by the column that says on what.

    Of what clients may add to without end, `most` are found, the first in the order of `kept`.
    """

    def __init__(self, table: type[Row], key: str, order: str, *, most: int | None = None, kept: str = "") -> None:
        self._rows = Detached(table)
        name = table.__tablename__
        ranked = f"SELECT id, row_number() OVER (PARTITION BY {key} ORDER BY {kept}) AS rank FROM {name}"  # noqa: S608
        few = f" AND id IN (SELECT id FROM ({ranked} WHERE {key} = ANY ($1::uuid[])) AS ranked WHERE rank <= {most})"  # noqa: S608
        self._statement = (
            f"SELECT {self._rows.columns}, {key} FROM {name}"  # noqa: S608 - our own words
            f" WHERE {key} = ANY ($1::uuid[]){few if most else ''} ORDER BY {key}, {order}"
        )

    async def of(self, reader: Reader, keys: Iterable[UUID]) -> dict[UUID, list[Row]]:
        """Those of each of the keys, in order; every key that was asked for is there."""
        found: dict[UUID, list[Row]] = {one: [] for one in keys}
        for columns in await reader.fetch(self._statement, list(found)):
            found[columns[-1]].append(self._rows.row(columns))
        return found


BOOKINGS = Detached(Booking)
DATED = f"""
    SELECT bookings.id, {BOOKINGS.columns},
           CASE WHEN bookings.status IN ('SEATS_LOCKED', 'PAYMENT_PENDING')
                THEN coalesce(holds.expires_before_review, holds.expires_at) END
    FROM bookings JOIN holds ON holds.id = bookings.hold_id
    WHERE bookings.id = ANY ($1::uuid[])
"""  # noqa: S608 - our own words
"""Bookings, each with the deadline that is told of its hold (`Hold.told_until`) while it waits for its money."""

MOST_ATTEMPTS = 30
"""How many attempts to pay are shown; a booking may have more, most of which were declined."""

LATEST = "status IN ('DECLINED', 'VOIDED'), id DESC"
"""Payments that are under way or taken, then those that came to nothing, the latest first."""

LINES = Hanging(BookingLine, "booking_id", "ordinal")
PASSENGERS = Hanging(Passenger, "booking_id", "ordinal")
PAYMENTS = Hanging(Payment, "booking_id", "id")
ATTEMPTS = Hanging(Payment, "booking_id", "id", most=MOST_ATTEMPTS, kept=LATEST)
REFUNDS = Hanging(Refund, "payment_id", "id")
SEATS = Hanging(SeatAssignment, "passenger_id", "slot_id")
SEGMENTS = Hanging(BookingSegment, "booking_id", "ordinal")
TICKETS = Hanging(Ticket, "passenger_id", "number")


async def by_id(reader: Reader, booking_id: UUID) -> Booking | None:
    """A booking as it is, for whoever only looks; None where there is none."""
    return await BOOKINGS.find(reader, booking_id)


async def by_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, tuple[Booking, datetime | None]]:
    """The bookings with those keys, each with its deadline while it waits for its money; others are left out."""
    found = await ALL_DATED.find(reader, list(dict.fromkeys(ids)))
    return {key: (BOOKINGS.row(columns), columns[-1]) for key, columns in found.items()}


async def all_dated(reader: Reader, ids: Sequence[UUID]) -> dict[UUID, Sequence[Any]]:
    """What `DATED` says of each of some bookings."""
    return {key: columns for key, *columns in await reader.fetch(DATED, list(ids))}


ALL_DATED = ByKeys(all_dated)


async def passengers_by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Passenger]]:
    """Who travels, in the order in which they were named."""
    return await PASSENGERS.of(reader, ids)


async def lines_by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[BookingLine]]:
    """The lines of the price, in order."""
    return await LINES.of(reader, ids)


async def segments_by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[BookingSegment]]:
    """The flights, in the order of travel."""
    return await SEGMENTS.of(reader, ids)


async def payments_by_booking_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Payment]]:
    """The attempts to pay, the first one first: every one that is under way or taken, and the latest of the others."""
    return await ATTEMPTS.of(reader, ids)


async def refunds_by_payment_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Refund]]:
    """What of each payment goes back or went, the first one first."""
    return await REFUNDS.of(reader, ids)


async def seats_by_passenger_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[SeatAssignment]]:
    """The seats that each passenger has chosen, by flight."""
    places = await SEATS.of(reader, ids)
    return {id_: [place for place in some if place.unit is not None] for id_, some in places.items()}


async def tickets_by_passenger_ids(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, list[Ticket]]:
    """The tickets of each passenger, in the order of their numbers."""
    return await TICKETS.of(reader, ids)
