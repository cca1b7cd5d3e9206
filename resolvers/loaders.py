"""Loaders: one query for what many objects of an answer ask for, each in a short session of its own.

Nothing is cached: a context may live as long as a subscription, and what it read at first would grow old.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from core.db import Database, ReadSession
from models import BookingLine, BookingSegment, FareFamily, HoldItem, Passenger, Payment, SeatAssignment, Ticket
from services import bookings, departures, fares, holds
from services.departures import Departure

Key = TypeVar("Key")
Value = TypeVar("Value")
Read = Callable[[ReadSession, Sequence[Key]], Awaitable[Mapping[Key, Value]]]


class Loaders:
    """The loaders of one context."""

    def __init__(self, db: Database) -> None:
        self.departure: DataLoader[int, Departure | None] = loader(db, departures.by_slots, None)
        self.fare_family: DataLoader[str, FareFamily | None] = loader(db, fares.families, None)
        self.hold_items: DataLoader[UUID, list[HoldItem]] = loader(db, holds.items_by_holds, [])
        self.lines: DataLoader[UUID, list[BookingLine]] = loader(db, bookings.lines_by_booking_ids, [])
        self.passengers: DataLoader[UUID, list[Passenger]] = loader(db, bookings.passengers_by_booking_ids, [])
        self.payments: DataLoader[UUID, list[Payment]] = loader(db, bookings.payments_by_booking_ids, [])
        self.segments: DataLoader[UUID, list[BookingSegment]] = loader(db, bookings.segments_by_booking_ids, [])
        self.seats: DataLoader[UUID, list[SeatAssignment]] = loader(db, bookings.seats_by_passenger_ids, [])
        self.tickets: DataLoader[UUID, list[Ticket]] = loader(db, bookings.tickets_by_passenger_ids, [])


def loader(db: Database, read: Read[Key, Value], missing: Value) -> DataLoader[Key, Value]:
    """A loader over a function that reads many at once; `missing` stands for what it did not find."""

    async def load(keys: list[Key]) -> list[Value]:
        async with db.reading() as session:
            found = await read(session, keys)
        return [found.get(key, missing) for key in keys]

    return DataLoader(load, cache=False)
