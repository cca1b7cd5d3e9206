"""A sold hold takes over what another keeps, and returns some of its own: seats, places, pools and booking classes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from models import Cabin, HoldStatus
from services import holds
from services.holds import HoldExpired, PoolKey, SlotUnits
from services.holds.exchanging import exchange
from services.holds.locks import lock_many
from tests.factories.bookings import pass_time
from tests.factories.holds import CAUSE, everything, hold, place, pools, seats, want
from tests.factories.schedules import Schedule

pytestmark = pytest.mark.usefixtures("noon")


async def sold(database: Database, hold_id: UUID, classes: Mapping[int, str] | None = None) -> UUID:
    """A hold that a booking has paid for, counted in those booking classes."""
    async with database.transaction() as session:
        locked = await holds.lock(session, hold_id)
        if classes:
            await holds.assign_classes(session, locked, classes)
        await holds.take_over(session, hold_id, CAUSE)
    return hold_id


async def exchanged(
    database: Database, ours: UUID, other: UUID | None, *units: SlotUnits, places: Mapping[PoolKey, int] | None = None
) -> None:
    async with database.transaction() as session:
        locked = {one.id: one for one in await lock_many(session, [ours, *([other] if other else [])])}
        await exchange(session, locked[ours], locked[other] if other else None, units, places or {}, CAUSE)


async def kept(database: Database, hold_id: UUID) -> list[tuple[int, int, int, list[str]]]:
    """Slot, quantity, returned and units of what a hold keeps."""
    async with database.reading() as session:
        return [(one.slot_id, one.quantity, one.returned, one.units) for one in await holds.items(session, hold_id)]


async def owners(database: Database) -> dict[str, UUID]:
    async with database.reading() as session:
        rows = await session.execute(text("SELECT unit, hold_id FROM claims WHERE status = 'BOOKED'"))
        return {row.unit: row.hold_id for row in rows}


async def classes_sold(database: Database, slot_id: int) -> list[int]:
    statement = text("SELECT class_sold FROM pools WHERE slot_id = :id AND code = 'ECONOMY'")
    async with database.reading() as session:
        found: list[int] = (await session.execute(statement, {"id": slot_id})).scalar_one()
    return found


async def test_another_flight_is_the_same_holds(database: Database, schedule: Schedule) -> None:
    ours = await sold(database, await place(database, schedule.first, "2A", "2B"), {schedule.first: "Y"})
    other = await place(database, schedule.second, "3A", "3B")
    await exchanged(database, ours, other, SlotUnits(slot_id=schedule.first, units=("2A", "2B")))
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
    assert await seats(database, schedule.second) == {"3A": "BOOKED", "3B": "BOOKED"}
    assert await owners(database) == {"3A": ours, "3B": ours}
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert await pools(database, schedule.second) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
    assert await kept(database, ours) == [(schedule.first, 2, 2, ["2A", "2B"]), (schedule.second, 2, 0, ["3A", "3B"])]
    assert await kept(database, other) == []
    async with database.reading() as session:
        assert (await session.scalar(text("SELECT status FROM holds WHERE id = :id"), {"id": other})) == "BOOKED"


async def test_another_seat_counts_in_the_class_of_the_first(database: Database, schedule: Schedule) -> None:
    ours = await sold(database, await place(database, schedule.first, "2A", "2B"), {schedule.first: "M"})
    other = await place(database, schedule.first, "3A")
    await exchanged(database, ours, other, SlotUnits(slot_id=schedule.first, units=("2A",)))
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "BOOKED", "3A": "BOOKED"}
    assert await kept(database, ours) == [(schedule.first, 2, 0, ["2B", "3A"])]
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
    assert await classes_sold(database, schedule.first) == [0, 2]
    back = await place(database, schedule.first, "2A")
    await exchanged(database, ours, back, SlotUnits(slot_id=schedule.first, units=("3A",)))
    assert await kept(database, ours) == [(schedule.first, 2, 0, ["2B", "2A"])]
    assert await classes_sold(database, schedule.first) == [0, 2]


async def test_a_place_becomes_a_seat(database: Database, schedule: Schedule) -> None:
    placed = await hold(database, want(schedule.first, quantities={Cabin.ECONOMY: 1}))
    ours = await sold(database, placed.id, {schedule.first: "Y"})
    other = await place(database, schedule.first, "3A")
    await exchanged(database, ours, other, places={(schedule.first, Cabin.ECONOMY): 1})
    assert await kept(database, ours) == [(schedule.first, 1, 0, ["3A"])]
    assert await pools(database, schedule.first) == {"ECONOMY": (0, 1), "FIRST": (0, 0)}
    assert await classes_sold(database, schedule.first) == [1, 0]


async def test_a_flight_that_was_left_is_come_back_to_in_another_class(database: Database, schedule: Schedule) -> None:
    ours = await sold(database, await place(database, schedule.first, "2A"), {schedule.first: "Y"})
    away = await sold(database, await place(database, schedule.second, "3A"), {schedule.second: "Y"})
    await exchanged(database, ours, away, SlotUnits(slot_id=schedule.first, units=("2A",)))
    back = await sold(database, await place(database, schedule.first, "2B"), {schedule.first: "M"})
    await exchanged(database, ours, back, SlotUnits(slot_id=schedule.second, units=("3A",)))
    assert await kept(database, ours) == [(schedule.first, 1, 0, ["2B"]), (schedule.second, 1, 1, ["3A"])]
    assert await classes_sold(database, schedule.first) == [0, 1]
    assert await classes_sold(database, schedule.second) == [0, 0]


async def test_what_was_lost_exchanges_nothing(database: Database, schedule: Schedule) -> None:
    ours = await sold(database, await place(database, schedule.first, "2A"))
    other = await place(database, schedule.second, "3A")
    await pass_time(database, timedelta(minutes=20))
    await place(database, schedule.second, "3A")
    before = await everything(database)
    with pytest.raises(HoldExpired):
        await exchanged(database, ours, other, SlotUnits(slot_id=schedule.first, units=("2A",)))
    assert await everything(database) == before


async def test_what_is_not_the_holds_is_not_returned(database: Database, schedule: Schedule) -> None:
    ours = await sold(database, await place(database, schedule.first, "2A"))
    other = await place(database, schedule.second, "3A")
    before = await everything(database)
    with pytest.raises(Conflict) as refusal:
        await exchanged(database, ours, other, SlotUnits(slot_id=schedule.first, units=("2B",)))
    assert refusal.value.code == "SEATS_NOT_BOOKED"
    assert await everything(database) == before
    async with database.reading() as session:
        assert (
            await session.scalar(text("SELECT status FROM holds WHERE id = :id"), {"id": other})
        ) == HoldStatus.ACTIVE
