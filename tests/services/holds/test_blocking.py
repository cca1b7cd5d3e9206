"""Staff keep seats from sale: free ones only, counted in their pools, told like every movement."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Conflict, DomainError, Invalid, NotFound
from services import holds
from services.holds import SeatsTaken, SoldOut
from services.seats import UnknownSeat
from services.transitions import Cause
from tests.factories.holds import CAUSE, everything, facts, hold, place, seats, versions, want
from tests.factories.places import counts
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

BROKEN = Cause(actor="user:7", reason="a broken belt")


async def block(database: Database, slot_id: int, *units: str) -> list[str]:
    async with database.transaction() as session:
        return await holds.block(session, slot_id, units, BROKEN)


async def unblock(database: Database, slot_id: int, *units: str) -> list[str]:
    async with database.transaction() as session:
        return await holds.unblock(session, slot_id, units, BROKEN)


async def test_a_free_seat_is_kept_from_sale(database: Database, schedule: Schedule) -> None:
    assert await block(database, schedule.first, "3A", "1A") == ["1A", "3A"]
    assert await seats(database, schedule.first) == {"1A": "BLOCKED", "3A": "BLOCKED"}
    assert await counts(database, schedule.first) == (0, 0, 1)
    assert await counts(database, schedule.first, "FIRST") == (0, 0, 1)
    with pytest.raises(SeatsTaken):
        await place(database, schedule.first, "3A")


async def test_what_is_blocked_cannot_be_sold_without_a_seat_either(database: Database, schedule: Schedule) -> None:
    await block(database, schedule.first, "3A", "3B")
    await hold(database, want(schedule.first, quantities={"ECONOMY": 6}))
    before = await everything(database)
    with pytest.raises(SoldOut) as refusal:
        await hold(database, want(schedule.first, quantities={"ECONOMY": 1}))
    assert refusal.value.left == 0
    assert await everything(database) == before


async def test_a_full_flight_may_lose_a_seat(database: Database, schedule: Schedule) -> None:
    await hold(database, want(schedule.first, quantities={"FIRST": 4}))
    await block(database, schedule.first, "1A")
    assert await counts(database, schedule.first, "FIRST") == (4, 0, 1)


async def test_blocking_again_is_nothing_new(database: Database, schedule: Schedule) -> None:
    await block(database, schedule.first, "3A")
    before = await everything(database)
    assert await block(database, schedule.first, "3A") == []
    assert await everything(database) == before
    assert await block(database, schedule.first, "3A", "3B") == ["3B"]
    assert await counts(database, schedule.first) == (0, 0, 2)


async def test_it_is_told_live_and_for_good(database: Database, schedule: Schedule) -> None:
    await block(database, schedule.first, "3A")
    version = (await versions(database, schedule.first))["3A"]
    await unblock(database, schedule.first, "3A")
    assert await facts(database) == [
        (kind, f"slot:{schedule.first}")
        for kind in ("seat.blocked", "inventory.blocked", "seat.released", "inventory.unblocked")
    ]
    async with database.reading() as session:
        live, for_good = list(await session.scalars(text("SELECT payload FROM facts ORDER BY id LIMIT 2")))
    seat = {"number": "3A", "status": "BLOCKED", "version": version}
    assert live == {"slot": schedule.first, "hold": None, "seats": [seat]}
    assert for_good == {"slot": schedule.first, "seats": ["3A"], "actor": "user:7", "reason": "a broken belt"}


async def test_what_is_unblocked_is_free_with_a_later_version(database: Database, schedule: Schedule) -> None:
    await block(database, schedule.first, "3A", "3B")
    before = await versions(database, schedule.first)
    assert await unblock(database, schedule.first, "3A") == ["3A"]
    assert await seats(database, schedule.first) == {"3A": "AVAILABLE", "3B": "BLOCKED"}
    assert (await versions(database, schedule.first))["3A"] > before["3A"]
    assert await counts(database, schedule.first) == (0, 0, 1)
    await place(database, schedule.first, "3A")


async def test_unblocking_what_is_not_blocked_changes_nothing(
    database: Database, schedule: Schedule, held: UUID
) -> None:
    before = await everything(database)
    assert await unblock(database, schedule.first, "2A", "3A") == []
    assert await everything(database) == before


async def test_a_seat_whose_lock_has_expired_is_blocked(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await set_clock(database, noon + timedelta(minutes=15))
    assert await block(database, schedule.first, "2A") == ["2A"]
    assert await counts(database, schedule.first) == (2, 0, 1)
    async with database.transaction() as session:
        assert await holds.expire_due(session, 10) == 1
    assert await seats(database, schedule.first) == {"2A": "BLOCKED", "2B": "AVAILABLE"}
    assert await counts(database, schedule.first) == (0, 0, 1)


@pytest.mark.parametrize("status", ["LOCKED", "BOOKED", "CHECKED_IN"])
async def test_what_is_somebodys_is_refused_and_nothing_blocked(
    database: Database, schedule: Schedule, held: UUID, status: str
) -> None:
    async with database.transaction() as session:
        if status != "LOCKED":
            await holds.take_over(session, held, CAUSE)
        if status == "CHECKED_IN":
            await holds.check_in(session, held, [want(schedule.first, "2A", "2B")])
    before = await everything(database)
    with pytest.raises(SeatsTaken) as refusal:
        await block(database, schedule.first, "3A", "2B", "2A")
    assert refusal.value.taken == {schedule.first: ["2A", "2B"]}
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("slot_id", "units", "refusal", "field"),
    [
        (1, ["9Z"], UnknownSeat, "seats"),
        (1, [], Invalid, "seats"),
        (1, ["3A", "3A"], Invalid, "seats"),
        (7, ["3A"], NotFound, None),
    ],
)
async def test_what_cannot_be_meant(
    database: Database, schedule: Schedule, slot_id: int, units: list[str], refusal: type[DomainError], field: str
) -> None:
    before = await everything(database)
    for step in (block, unblock):
        with pytest.raises(refusal) as caught:
            await step(database, slot_id, *units)
        assert getattr(caught.value, "field", None) == field
    assert await everything(database) == before


class TestCheckingIn:
    """The seats of a sold hold, there and back; pools count them as sold throughout."""

    async def test_there_and_back(self, database: Database, schedule: Schedule, held: UUID) -> None:
        both = [want(schedule.first, "2A", "2B")]
        async with database.transaction() as session:
            await holds.take_over(session, held, CAUSE)
            await holds.check_in(session, held, [want(schedule.first, "2A")])
        assert await seats(database, schedule.first) == {"2A": "CHECKED_IN", "2B": "BOOKED"}
        async with database.transaction() as session:
            await holds.check_in(session, held, both)
        assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B"), "CHECKED_IN")
        assert (await facts(database))[-1] == ("seat.checked_in", f"slot:{schedule.first}")
        async with database.transaction() as session:
            await holds.undo_check_in(session, held, both)
        assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B"), "BOOKED")
        assert await counts(database, schedule.first) == (0, 2, 0)

    async def test_doing_it_again_is_nothing_new(self, database: Database, schedule: Schedule, held: UUID) -> None:
        both = [want(schedule.first, "2A", "2B")]
        async with database.transaction() as session:
            await holds.take_over(session, held, CAUSE)
            await holds.check_in(session, held, both)
        before = await everything(database)
        async with database.transaction() as session:
            await holds.check_in(session, held, both)
        assert await everything(database) == before

    @pytest.mark.parametrize("sold", [True, False])
    async def test_seats_that_are_not_this_holds(
        self, database: Database, schedule: Schedule, held: UUID, sold: bool
    ) -> None:
        if sold:
            async with database.transaction() as session:
                await holds.take_over(session, held, CAUSE)
        before = await everything(database)
        for step in (holds.check_in, holds.undo_check_in):
            with pytest.raises(Conflict) as refusal:
                async with database.transaction() as session:
                    await step(session, held, [want(schedule.first, "2A", "3A")])
            assert refusal.value.code == "SEATS_NOT_BOOKED"
        assert await everything(database) == before

    async def test_what_is_checked_in_is_not_given_back(
        self, database: Database, schedule: Schedule, held: UUID
    ) -> None:
        async with database.transaction() as session:
            await holds.take_over(session, held, CAUSE)
            await holds.check_in(session, held, [want(schedule.first, "2A")])
        before = await everything(database)
        with pytest.raises(Conflict) as refusal:
            async with database.transaction() as session:
                await holds.give_back(session, held, [want(schedule.first, "2A", "2B")])
        assert refusal.value.code == "SEATS_NOT_BOOKED"
        assert await everything(database) == before
