"""One query for what many objects of an answer ask for, each in a short session of its own.

The objects of a list are asked for together (`Source.all`, for batch fields); loaders gather what is asked for one by
one, in many lists and on many levels. Nothing is cached: a context may live as long as a subscription, and what it read
at first would grow old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from core.db import ReadSession
from models import BookingLine, BookingSegment, HoldItem, Passenger, Payment, SeatAssignment, Ticket
from services import bookings, departures, holds
from services.departures import Departure

if TYPE_CHECKING:
    from resolvers.context import Info

Key = TypeVar("Key")
Value = TypeVar("Value")
Reading = Callable[[], AbstractAsyncContextManager[ReadSession]]
Read = Callable[[ReadSession, Sequence[Key]], Awaitable[Mapping[Key, Value]]]


@dataclass(frozen=True)
class Source(Generic[Key, Value]):
    """What is read for many keys at once; `missing` stands for what is not found."""

    read: Read[Key, Value]
    missing: Value

    async def all(self, reading: Reading, keys: Sequence[Key]) -> list[Value]:
        """The value of each key, in their order; keys may repeat."""
        async with reading() as session:
            found = await self.read(session, list(dict.fromkeys(keys)))
        return [found.get(key, self.missing) for key in keys]

    def loader(self, reading: Reading) -> DataLoader[Key, Value]:
        """A loader over it."""

        async def load(keys: list[Key]) -> list[Value]:
            return await self.all(reading, keys)

        return DataLoader(load, cache=False)


DEPARTURE: Source[int, Departure | None] = Source(departures.by_slots, None)
HOLD_ITEMS: Source[UUID, list[HoldItem]] = Source(holds.items_by_holds, [])
LINES: Source[UUID, list[BookingLine]] = Source(bookings.lines_by_booking_ids, [])
PASSENGERS: Source[UUID, list[Passenger]] = Source(bookings.passengers_by_booking_ids, [])
PAYMENTS: Source[UUID, list[Payment]] = Source(bookings.payments_by_booking_ids, [])
SEGMENTS: Source[UUID, list[BookingSegment]] = Source(bookings.segments_by_booking_ids, [])
SEATS: Source[UUID, list[SeatAssignment]] = Source(bookings.seats_by_passenger_ids, [])
TICKETS: Source[UUID, list[Ticket]] = Source(bookings.tickets_by_passenger_ids, [])


class Loaders:
    """The loaders of one context."""

    def __init__(self, reading: Reading) -> None:
        self.departure = DEPARTURE.loader(reading)
        self.hold_items = HOLD_ITEMS.loader(reading)
        self.lines = LINES.loader(reading)
        self.passengers = PASSENGERS.loader(reading)
        self.payments = PAYMENTS.loader(reading)
        self.segments = SEGMENTS.loader(reading)
        self.seats = SEATS.loader(reading)
        self.tickets = TICKETS.loader(reading)


def of_all(
    source: Source[Key, Value], key_of: Callable[[Any], Key]
) -> Callable[[Sequence[Any], Info], Awaitable[list[Value]]]:
    """A batch resolver: for each parent, what the source has for its key."""

    async def resolve(roots: Sequence[Any], info: Info) -> list[Value]:
        return await source.all(info.context.reading, [key_of(root) for root in roots])

    return resolve
