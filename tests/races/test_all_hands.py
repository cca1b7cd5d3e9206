"""All that moves claims and counts, at once on few seats: nobody waits in a circle, and what is counted is so.

That others do wait in a circle who lock in another order: `test_overlapping_sets.py` and `test_batches.py`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update

from core.db import Database, Session
from core.errors import DomainError, Unavailable
from core.ids import uuid7
from models import Slot
from services import holds, invariants, pools
from services.holds import Placed, Placer, Want
from tests.factories.holds import CAUSE, GUEST, key, placing, want
from tests.factories.schedules import Schedule

HANDS, STEPS = 24, 8
MINUTE = timedelta(minutes=1)
SEATS = ("1A", "1B", "2A", "2B", "3A")
ELSEWHERE = {"Pools have sold what bookings own", "What happened is told"}
"""There are no bookings here, and no relay."""

Step = Callable[[Session], Awaitable[object]]


def wishes(dice: random.Random, schedule: Schedule) -> list[Want]:
    """Seats and places of one flight or of both, in no order."""
    flights = dice.sample([schedule.first, schedule.second], dice.randint(1, 2))
    return [
        want(flight, *dice.sample(SEATS, dice.randint(0, 2)), quantities={dice.choice(["ECONOMY", "FIRST"]): 1})
        for flight in flights
    ]


def movements(dice: random.Random, schedule: Schedule, hold_id: UUID) -> list[Step]:
    """What may happen to a hold, and what staff and sweepers do meanwhile."""
    both = [schedule.first, schedule.second]
    slot, seats = dice.choice(both), dice.sample(SEATS, 2)
    pool = slot, dice.choice(["ECONOMY", "FIRST"])
    relieved = [(flight, code) for flight in both for code in ("ECONOMY", "FIRST")]

    async def book(session: Session) -> None:
        locked = await holds.lock_now(session, hold_id)
        await holds.attach(session, locked, uuid7())
        await holds.assign_classes(session, locked.hold, {flight: dice.choice("YM") for flight in both})

    async def sell(session: Session) -> None:
        await holds.take_over(session, hold_id, CAUSE)
        await holds.give_back(session, hold_id, [], {pool: 1})

    async def put_off(session: Session) -> None:
        later = {"starts_at": Slot.starts_at + MINUTE, "ends_at": Slot.ends_at + MINUTE}
        await session.execute(update(Slot).where(Slot.id == slot).values(later))

    return [
        lambda session: holds.extend(session, hold_id, GUEST, key()),
        lambda session: holds.release(session, hold_id, CAUSE),
        lambda session: holds.begin_payment(session, hold_id),
        lambda session: holds.payment_failed(session, hold_id),
        lambda session: holds.take_over(session, hold_id, CAUSE),
        lambda session: holds.abandon(session, hold_id, CAUSE),
        lambda session: holds.block(session, slot, seats, CAUSE),
        lambda session: holds.unblock(session, slot, SEATS, CAUSE),
        lambda session: holds.expire_due(session, 10),
        lambda session: holds.expire_due_in(session, dice.sample(relieved, 2)),
        lambda session: pools.authorise(session, *pool, dice.randint(2, 4), CAUSE),
        book,
        put_off,
        sell,
    ]


async def attempt(step: Awaitable[Placed | None]) -> Placed | None:
    """Do it, or be refused; whoever is told to ask again has waited for somebody in vain."""
    try:
        return await step
    except Unavailable:
        raise
    except DomainError:
        return None


async def move(database: Database, step: Step) -> None:
    """One movement, in a transaction of its own."""
    async with database.transaction() as session:
        await step(session)


async def hand(database: Database, placer: Placer, schedule: Schedule, dice: random.Random, kept: list[UUID]) -> None:
    """Place and move, again and again."""
    for _ in range(STEPS):
        placed = await attempt(placer.place(GUEST, wishes(dice, schedule), 5, key()))
        kept += [placed.id] if placed else []
        for _ in range(2 if kept else 0):
            await attempt(move(database, dice.choice(movements(dice, schedule, dice.choice(kept[-6:])))))


async def circles(database: Database) -> int:
    """How often PostgreSQL had to cut a circle in this database, once everybody has gone home and said so."""
    await database.write_engine.dispose()
    async with database.reading() as session:
        found = await session.scalar(text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))
        return int(found or 0)


@pytest.mark.parametrize("seed", range(2))
async def test_nobody_waits_in_a_circle_and_what_is_counted_is_so(
    crowd: Database, schedule: Schedule, seed: int
) -> None:
    kept: list[UUID] = []
    async with placing(crowd) as one, placing(crowd) as other:
        hands = (
            hand(crowd, (one, other)[number % 2], schedule, random.Random(100 * seed + number), kept)
            for number in range(HANDS)
        )
        await asyncio.gather(*hands)
    assert kept
    assert await circles(crowd) == 0
    findings = await invariants.check(crowd)
    assert {one.name: list(one.broken) for one in findings if one.broken and one.name not in ELSEWHERE} == {}
