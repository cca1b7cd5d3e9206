"""Many buyers ask for the best three seats of a cabin at once: as many get them as there are threes, no seat twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from core.db import Database
from services.holds import Placer, SeatsTaken, SoldOut, Want
from services.holds.best_seats import TRIES, BestSeatsClerk, BestSeatsHeld, suggest_seats
from services.seats import Plans
from tests.factories.best_seats import best, grow, wanted
from tests.factories.cabins import party
from tests.factories.holds import GUEST, key, place, placing, pools, seats
from tests.factories.schedules import Schedule

THREE = party(3)


async def rush(
    crowd: Database, schedule: Schedule, *, processes: int, buyers: int
) -> list[BestSeatsHeld | BaseException]:
    """What so many buyers at once are answered, spread over so many processes."""
    async with AsyncExitStack() as stack:
        clerks = [
            BestSeatsClerk(db=crowd, plans=Plans(), placer=await stack.enter_async_context(placing(crowd)))
            for _ in range(processes)
        ]
        asked = wanted(best(schedule.first), travelling=THREE)
        return await asyncio.gather(
            *(clerks[buyer % processes].hold(GUEST, asked, key()) for buyer in range(buyers)), return_exceptions=True
        )


async def assert_sold_in_threes(
    crowd: Database, schedule: Schedule, outcomes: list[BestSeatsHeld | BaseException], all_seats: int
) -> None:
    """As many threes as there are were held, each seat once, and all others were told how many are left."""
    winners = [outcome for outcome in outcomes if isinstance(outcome, BestSeatsHeld)]
    others = [outcome for outcome in outcomes if not isinstance(outcome, BestSeatsHeld)]
    assert len(winners) == all_seats // 3
    assert Counter(type(other) for other in others) == {SoldOut: len(outcomes) - len(winners)}
    assert {other.left for other in others if isinstance(other, SoldOut)} == {all_seats % 3}
    held = [number for winner in winners for suggestion in winner.suggestions for number in suggestion.numbers]
    assert len(held) == len(set(held)) == 3 * len(winners)
    assert await seats(crowd, schedule.first) == dict.fromkeys(held, "LOCKED")
    assert (await pools(crowd, schedule.first))["ECONOMY"] == (len(held), 0)


async def test_a_cabin_is_sold_in_threes_until_two_seats_are_left(crowd: Database, schedule: Schedule) -> None:
    """In one process nobody is ever in another's way, so however many there are, nobody runs out of tries."""
    all_seats = await grow(crowd, 20)
    outcomes = await rush(crowd, schedule, processes=1, buyers=40)
    await assert_sold_in_threes(crowd, schedule, outcomes, all_seats)


async def test_processes_that_know_nothing_of_each_other_sell_each_seat_once(
    crowd: Database, schedule: Schedule
) -> None:
    """Each time that somebody is too late, another three are gone: with fewer threes than tries nobody gives up."""
    all_seats = await grow(crowd, 5)
    assert all_seats // 3 < TRIES
    outcomes = await rush(crowd, schedule, processes=3, buyers=18)
    await assert_sold_in_threes(crowd, schedule, outcomes, all_seats)


async def test_what_is_only_being_taken_is_not_sold_out(crowd: Database, schedule: Schedule) -> None:
    """The second buyer finds the last three seats being taken, waits, and gets them when that fails."""
    await place(crowd, schedule.first, "2A", "2B", "2C", "2D", "3A")
    async with placing(crowd) as placer:
        clerk = BestSeatsClerk(db=crowd, plans=Plans(), placer=placer)
        async with crowd.reading() as session:
            last = await suggest_seats(session, Plans(), best(schedule.first), THREE)
        assert last is not None
        rival = clerk.desk.begin([last])
        buyer = asyncio.create_task(clerk.hold(GUEST, wanted(best(schedule.first), travelling=THREE), key()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(buyer), 0.3)
        clerk.desk.end(rival)
        held = await buyer
    assert held.suggestions[0].numbers == ("3B", "3C", "3D")


async def test_control_choosing_before_taking_refuses_all_but_one(crowd: Database, schedule: Schedule) -> None:
    """Without looking again, whoever looked at the same moment wants the same seats; the cabin stays empty."""
    buyers, all_seats = 10, await grow(crowd, 20)
    together = asyncio.Barrier(buyers)

    async def naive(placer: Placer) -> bool:
        async with crowd.reading() as session:
            found = await suggest_seats(session, Plans(), best(schedule.first), THREE)
        assert found is not None
        await together.wait()
        try:
            await placer.place(GUEST, [Want(slot_id=schedule.first, units=found.numbers)], 15, key())
        except SeatsTaken:
            return False
        return True

    async with placing(crowd) as placer:
        assert sum(await asyncio.gather(*(naive(placer) for _ in range(buyers)))) == 1
    async with crowd.reading() as session:
        taken = (await session.execute(text("SELECT count(*) FROM claims WHERE status = 'LOCKED'"))).scalar_one()
    assert (taken, all_seats) == (3, 80)
