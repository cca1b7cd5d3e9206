"""Places with a seat and without one count in the same pool, and each leaves it once; classes move with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict
from services import holds
from services.holds import ClassClosed, Placed, SeatsTaken, SoldOut
from tests.factories.holds import CAUSE, everything, hold, place, want
from tests.factories.places import classes, counts, set_pool
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

SEATS = tuple(f"{row}{column}" for row in (2, 3) for column in "ABCD")


async def three(database: Database, slot_id: int) -> Placed:
    """A hold of 2A and of two places in ECONOMY without a seat."""
    return await hold(database, want(slot_id, "2A", quantities={"ECONOMY": 2}))


async def assign(database: Database, hold_id: UUID, **by_slot: str) -> None:
    async with database.transaction() as session:
        wanted = {int(slot.removeprefix("slot")): code for slot, code in by_slot.items()}
        await holds.assign_classes(session, await holds.lock(session, hold_id), wanted)


async def take_over(database: Database, hold_id: UUID) -> None:
    async with database.transaction() as session:
        await holds.take_over(session, hold_id, CAUSE)


class TestOverbooked:
    """A cabin of eight seats of which ten may be sold: seats run out first, then places go on until ten."""

    @pytest.fixture(autouse=True)
    async def two_more(self, database: Database, schedule: Schedule) -> None:
        """Ten may be sold of eight seats."""
        await set_pool(database, schedule.first, "ECONOMY", overbooking=2, authorised=10)

    async def test_seats_first(self, database: Database, schedule: Schedule) -> None:
        await place(database, schedule.first, *SEATS)
        with pytest.raises(SeatsTaken):
            await place(database, schedule.first, "2A")
        await hold(database, want(schedule.first, quantities={"ECONOMY": 2}))
        before = await everything(database)
        with pytest.raises(SoldOut):
            await hold(database, want(schedule.first, quantities={"ECONOMY": 1}))
        assert await everything(database) == before
        assert await counts(database, schedule.first) == (10, 0, 0)

    async def test_places_first(self, database: Database, schedule: Schedule) -> None:
        await hold(database, want(schedule.first, quantities={"ECONOMY": 9}))
        with pytest.raises(SoldOut):
            await place(database, schedule.first, "2A", "2B")
        await place(database, schedule.first, "2A")
        before = await everything(database)
        with pytest.raises(SoldOut):
            await place(database, schedule.first, "2B")
        assert await everything(database) == before


async def test_the_database_refuses_more_than_there_is(database: Database, schedule: Schedule) -> None:
    for wrong in (
        {"authorised": 9},
        {"overbooking": -1},
        {"held": 9},
        {"blocked": 9},
        {"blocked": -1},
        {"classes": ["Y"]},
        {"class_held": [1, -1]},
    ):
        with pytest.raises(Exception, match="ck_pools_"):
            await set_pool(database, schedule.first, "ECONOMY", **wrong)


class TestWithoutASeat:
    """What becomes of places that are held without one."""

    async def test_they_are_sold_and_given_back_once(self, database: Database, schedule: Schedule) -> None:
        placed = await three(database, schedule.first)
        assert await counts(database, schedule.first) == (3, 0, 0)
        await take_over(database, placed.id)
        assert await counts(database, schedule.first) == (0, 3, 0)
        pool = schedule.first, "ECONOMY"
        async with database.transaction() as session:
            await holds.give_back(session, placed.id, [], {pool: 1})
        assert await counts(database, schedule.first) == (0, 2, 0)
        before = await everything(database)
        for seats, places in (([], {pool: 2}), ([want(schedule.first, "2A")], {pool: 2}), ([], {(2, "ECONOMY"): 1})):
            with pytest.raises(Conflict) as refusal:
                async with database.transaction() as session:
                    await holds.give_back(session, placed.id, seats, places)
            assert refusal.value.code == "SEATS_NOT_BOOKED"
        assert await everything(database) == before
        async with database.transaction() as session:
            await holds.give_back(session, placed.id, [want(schedule.first, "2A")], {pool: 1})
        assert await counts(database, schedule.first) == (0, 0, 0)

    async def test_they_are_released(self, database: Database, schedule: Schedule) -> None:
        placed = await three(database, schedule.first)
        async with database.transaction() as session:
            await holds.release(session, placed.id, CAUSE)
        assert await counts(database, schedule.first) == (0, 0, 0)

    async def test_they_expire(self, database: Database, schedule: Schedule, noon: datetime) -> None:
        await three(database, schedule.first)
        await set_clock(database, noon + timedelta(minutes=15))
        async with database.transaction() as session:
            assert await holds.expire_due(session, 10) == 1
        assert await counts(database, schedule.first) == (0, 0, 0)

    async def test_a_late_sale_is_good_until_they_are_written_down(
        self, database: Database, schedule: Schedule, noon: datetime
    ) -> None:
        late = await hold(database, want(schedule.first, quantities={"ECONOMY": 8}))
        await set_clock(database, noon + timedelta(minutes=15))
        await take_over(database, late.id)
        with pytest.raises(SoldOut):
            await hold(database, want(schedule.first, quantities={"ECONOMY": 1}))


class TestClasses:
    """A hold is counted by a class from the booking on; the counts go with it wherever it goes."""

    async def test_nobody_counts_before_the_class_is_known(self, database: Database, schedule: Schedule) -> None:
        await three(database, schedule.first)
        assert await classes(database, schedule.first) == {"Y": (0, 0), "M": (0, 0)}

    @pytest.mark.parametrize("end", ["sold", "released", "abandoned", "expired", "given back"])
    async def test_they_go_with_the_hold(
        self, database: Database, schedule: Schedule, noon: datetime, end: str
    ) -> None:
        placed = await three(database, schedule.first)
        await assign(database, placed.id, slot1="M")
        assert await classes(database, schedule.first) == {"Y": (0, 0), "M": (3, 0)}
        if end == "expired":
            await set_clock(database, noon + timedelta(minutes=15))
        async with database.transaction() as session:
            match end:
                case "sold":
                    await holds.take_over(session, placed.id, CAUSE)
                case "released":
                    await holds.release(session, placed.id, CAUSE)
                case "abandoned":
                    await holds.abandon(session, placed.id, CAUSE)
                case "expired":
                    await holds.expire_due(session, 10)
                case "given back":
                    await holds.take_over(session, placed.id, CAUSE)
                    pool = schedule.first, "ECONOMY"
                    await holds.give_back(session, placed.id, [want(schedule.first, "2A")], {pool: 1})
        left = {"sold": (0, 3), "given back": (0, 1)}.get(end, (0, 0))
        assert await classes(database, schedule.first) == {"Y": (0, 0), "M": left}
        assert (await counts(database, schedule.first))[:2] == left

    async def test_another_class_relieves_the_first(self, database: Database, schedule: Schedule) -> None:
        placed = await three(database, schedule.first)
        await assign(database, placed.id, slot1="M")
        await assign(database, placed.id, slot1="Y")
        assert await classes(database, schedule.first) == {"Y": (3, 0), "M": (0, 0)}
        before = await everything(database)
        await assign(database, placed.id, slot1="Y")
        assert await everything(database) == before

    async def test_limits_are_nested(self, database: Database, schedule: Schedule) -> None:
        """Four in M at most, six in both."""
        await set_pool(database, schedule.first, "ECONOMY", class_limits=[6, 4])
        first, second, third = [await place(database, schedule.first, *SEATS[n : n + 2]) for n in (0, 2, 4)]
        await assign(database, first, slot1="M")
        await assign(database, second, slot1="M")
        before = await everything(database)
        with pytest.raises(ClassClosed) as refusal:
            await assign(database, third, slot1="M")
        assert refusal.value.pools == ((schedule.first, "ECONOMY"),)
        assert await everything(database) == before
        await assign(database, third, slot1="Y")
        last = await place(database, schedule.first, *SEATS[6:])
        before = await everything(database)
        for closed in ("Y", "M", "Q"):
            with pytest.raises(ClassClosed):
                await assign(database, last, slot1=closed)
        assert await everything(database) == before

    async def test_a_class_above_that_is_full_closes_those_below(self, database: Database, schedule: Schedule) -> None:
        await set_pool(database, schedule.first, "ECONOMY", class_limits=[3, 8])
        placed = await three(database, schedule.first)
        await assign(database, placed.id, slot1="Y")
        other = await place(database, schedule.first, "3A")
        with pytest.raises(ClassClosed):
            await assign(database, other, slot1="M")

    async def test_a_pool_without_classes_sells_every_class_alike(self, database: Database, schedule: Schedule) -> None:
        nothing: list[object] = []
        await set_pool(
            database,
            schedule.first,
            "ECONOMY",
            classes=nothing,
            class_limits=nothing,
            class_held=nothing,
            class_sold=nothing,
        )
        placed = await three(database, schedule.first)
        await assign(database, placed.id, slot1="Q")
        await take_over(database, placed.id)
        assert await counts(database, schedule.first) == (0, 3, 0)
        async with database.reading() as session:
            (named,) = await session.scalars(text("SELECT booking_class FROM hold_items"))
        assert named is None

    async def test_each_slot_has_its_own(self, database: Database, schedule: Schedule) -> None:
        both = await hold(database, want(schedule.first, "2A"), want(schedule.second, "2A", "2B"))
        await assign(database, both.id, slot1="M", slot2="Y")
        assert await classes(database, schedule.first) == {"Y": (0, 0), "M": (1, 0)}
        assert await classes(database, schedule.second) == {"Y": (2, 0), "M": (0, 0)}

    async def test_one_that_is_closed_leaves_all_as_they_were(self, database: Database, schedule: Schedule) -> None:
        both = await hold(database, want(schedule.first, "2A"), want(schedule.second, "2A"))
        await set_pool(database, schedule.second, "ECONOMY", class_limits=[8, 0])
        before = await everything(database)
        with pytest.raises(ClassClosed):
            await assign(database, both.id, slot1="M", slot2="M")
        assert await everything(database) == before
