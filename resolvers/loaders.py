"""Loaders: one query for what many objects of an answer ask for, each in a short session of its own.

Nothing is cached: a context may live as long as a subscription, and what it read at first would grow old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from core.db import ReadSession
from models import BookingLine, BookingSegment, HoldItem, Passenger, Payment, SeatAssignment, Ticket
from services import bookings, departures, holds
from services.departures import Departure

Key = TypeVar("Key")
Value = TypeVar("Value")
Reading = Callable[[], AbstractAsyncContextManager[ReadSession]]
Read = Callable[[ReadSession, Sequence[Key]], Awaitable[Mapping[Key, Value]]]


class Loaders:
    """The loaders of one context."""

    def __init__(self, reading: Reading) -> None:
        self.departure: DataLoader[int, Departure | None] = loader(reading, departures.by_slots, None)
        self.hold_items: DataLoader[UUID, list[HoldItem]] = loader(reading, holds.items_by_holds, [])
        self.lines: DataLoader[UUID, list[BookingLine]] = loader(reading, bookings.lines_by_booking_ids, [])
        self.passengers: DataLoader[UUID, list[Passenger]] = loader(reading, bookings.passengers_by_booking_ids, [])
        self.payments: DataLoader[UUID, list[Payment]] = loader(reading, bookings.payments_by_booking_ids, [])
        self.segments: DataLoader[UUID, list[BookingSegment]] = loader(reading, bookings.segments_by_booking_ids, [])
        self.seats: DataLoader[UUID, list[SeatAssignment]] = loader(reading, bookings.seats_by_passenger_ids, [])
        self.tickets: DataLoader[UUID, list[Ticket]] = loader(reading, bookings.tickets_by_passenger_ids, [])


def loader(reading: Reading, read: Read[Key, Value], missing: Value) -> DataLoader[Key, Value]:
    """A loader over a function that reads many at once; `missing` stands for what it did not find."""

    async def load(keys: list[Key]) -> list[Value]:
        async with reading() as session:
            found = await read(session, keys)
        return [found.get(key, missing) for key in keys]

    return DataLoader(load, cache=False)
