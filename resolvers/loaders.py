"""One statement for what many objects of an answer ask for, each with a snapshot of its own.

The objects of a list are asked for together (`Source.all`, for batch fields); loaders gather what is asked for one by
one, in many lists and on many levels. Nothing is cached: a context may live as long as a subscription, and what it read
at first would grow old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from core.gathering import ByKeys
from core.rows import Reader
from models import (
    Amendment,
    BookingLine,
    BookingSegment,
    HoldItem,
    Passenger,
    Payment,
    Refund,
    SeatAssignment,
    Share,
    Ticket,
)
from services import amendments, bookings, departures, extras, holds
from services.departures import Departure
from services.extras import Owned

if TYPE_CHECKING:
    from resolvers.context import Info

Key = TypeVar("Key")
Value = TypeVar("Value")
Read = Callable[[Reader, Sequence[Key]], Awaitable[Mapping[Key, Value]]]


class Source(Generic[Key, Value]):
    """What is read for many keys at once; `missing` stands for what is not found.

    What several operations ask at the same time is one statement (`core.gathering`). Values are rows that nobody
    changes, which may be shared then; a list is whoever's asked for it.
    """

    def __init__(self, read: Read[Key, Value], missing: Value) -> None:
        self._found = ByKeys(read)
        self._missing = missing

    async def all(self, reader: Reader, keys: Sequence[Key]) -> list[Value]:
        """The value of each key, in their order; keys may repeat."""
        found = await self._found.find(reader, list(dict.fromkeys(keys)))
        return [own(found.get(key, self._missing)) for key in keys]

    def loader(self, reader: Reader) -> DataLoader[Key, Value]:
        """A loader over it."""

        async def load(keys: list[Key]) -> list[Value]:
            return await self.all(reader, keys)

        return DataLoader(load, cache=False)


def own(value: Value) -> Value:
    """The same, as whoever asked for it may change it."""
    return copy(value) if isinstance(value, list) else value


AMENDMENTS: Source[UUID, list[Amendment]] = Source(amendments.by_booking_ids, [])
AMENDMENT_PAYMENTS: Source[UUID, list[Payment]] = Source(amendments.payments_by_ids, [])
DEPARTURE: Source[int, Departure | None] = Source(departures.by_slots, None)
EXTRAS: Source[UUID, list[Owned]] = Source(extras.of_passengers, [])
HOLD_ITEMS: Source[UUID, list[HoldItem]] = Source(holds.kept_by, [])
LINES: Source[UUID, list[BookingLine]] = Source(bookings.lines_by_booking_ids, [])
PASSENGERS: Source[UUID, list[Passenger]] = Source(bookings.passengers_by_booking_ids, [])
PAYMENTS: Source[UUID, list[Payment]] = Source(bookings.payments_by_booking_ids, [])
REFUNDS: Source[UUID, list[Refund]] = Source(bookings.refunds_by_payment_ids, [])
SEGMENTS: Source[UUID, list[BookingSegment]] = Source(bookings.segments_by_booking_ids, [])
SEATS: Source[UUID, list[SeatAssignment]] = Source(bookings.seats_by_passenger_ids, [])
SHARES: Source[UUID, list[Share]] = Source(bookings.shares_by_booking_ids, [])
TICKETS: Source[UUID, list[Ticket]] = Source(bookings.tickets_by_passenger_ids, [])


class Loaders:
    """The loaders of one context."""

    def __init__(self, reader: Reader) -> None:
        self.departure = DEPARTURE.loader(reader)
        self.hold_items = HOLD_ITEMS.loader(reader)
        self.lines = LINES.loader(reader)
        self.passengers = PASSENGERS.loader(reader)
        self.payments = PAYMENTS.loader(reader)
        self.refunds = REFUNDS.loader(reader)
        self.segments = SEGMENTS.loader(reader)
        self.seats = SEATS.loader(reader)
        self.tickets = TICKETS.loader(reader)


def of_all(
    source: Source[Key, Value], key_of: Callable[[Any], Key]
) -> Callable[[Sequence[Any], Info], Awaitable[list[Value]]]:
    """A batch resolver: for each parent, what the source has for its key."""

    async def resolve(roots: Sequence[Any], info: Info) -> list[Value]:
        return await source.all(info.context.reader, [key_of(root) for root in roots])

    return resolve
