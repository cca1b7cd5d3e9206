"""One meal is left, and many buyers with a seat of their own want it: one has it, and the others are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import select, update

from core.db import Database
from core.keys import Keyring
from models import STOCK, Booking, PassengerType, Pool
from services import invariants
from services.extras import ExtraSoldOut
from services.seats import Plans
from tests.factories.bookings import Desk, traveller
from tests.factories.extras import MEAL, choice, put_on_sale, stock
from tests.factories.schedules import Schedule

SEATS = ("2A", "2B", "2C", "2D", "3A", "3B", "3C", "3D")


async def test_the_last_meal_goes_to_one(crowd: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> None:
    desk = Desk(crowd, keyring, plans, schedule)
    await put_on_sale(crowd, schedule, meals=1)
    offer, wanted = await desk.offer(), (choice(schedule, MEAL),)
    commands = [
        desk.command(
            offer, await desk.hold(unit), replace(traveller(schedule, PassengerType.ADULT, "Ng", unit), extras=wanted)
        )
        for unit in SEATS
    ]
    outcomes = await asyncio.gather(*(desk.create(one) for one in commands), return_exceptions=True)
    assert [type(one) for one in outcomes if not isinstance(one, ExtraSoldOut)] == [Booking]
    assert {one.left for one in outcomes if isinstance(one, ExtraSoldOut)} == {0}
    assert await stock(crowd, schedule, MEAL) == (1, 0)
    assert [one.name for one in await invariants.check(crowd) if one.broken] == []


async def test_control_looking_first_and_counting_afterwards_sells_it_twice(
    crowd: Database, schedule: Schedule
) -> None:
    """Two who look how many are left, and count afterwards, both have it."""
    await put_on_sale(crowd, schedule, meals=1)
    together = asyncio.Barrier(2)
    meals = Pool.slot_id == schedule.first, Pool.code == STOCK + MEAL

    async def naive() -> bool:
        async with crowd.transaction() as session:
            pool = (await session.execute(select(Pool.held, Pool.authorised).where(*meals))).one()
            await together.wait()
            if pool.held < pool.authorised:
                await session.execute(update(Pool).where(*meals).values(held=pool.held + 1))
            return bool(pool.held < pool.authorised)

    assert all(await asyncio.gather(naive(), naive()))
    assert await stock(crowd, schedule, MEAL) == (1, 0)
