"""Twenty times the same request at once: one hold, and everybody is told of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from sqlalchemy import select

from core.db import Database
from core.ids import uuid7
from models import Hold, IdempotencyKey
from services.holds import Want
from services.idempotency import KeyReused
from tests.factories.holds import hold, key, pools, want
from tests.factories.schedules import Schedule

TIMES = 20


async def ask(database: Database, wants: Want, with_key: str) -> UUID:
    return (await hold(database, wants, with_key=with_key)).id


async def held(database: Database) -> list[UUID]:
    async with database.reading() as session:
        return list(await session.scalars(select(Hold.id)))


async def test_one_hold_comes_of_it(crowd: Database, schedule: Schedule) -> None:
    same = key()
    answers = await asyncio.gather(*(ask(crowd, want(schedule.first, "2A", "2B"), same) for _ in range(TIMES)))
    assert await held(crowd) == [answers[0]] == list(set(answers))
    assert await pools(crowd, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}


async def test_of_two_requests_under_one_key_one_is_served(crowd: Database, schedule: Schedule) -> None:
    same, wanted = key(), (want(schedule.first, "2A"), want(schedule.first, "3A"))
    asked = [ask(crowd, wanted[turn % 2], same) for turn in range(TIMES)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    served = {answer for answer in answers if isinstance(answer, UUID)}
    assert await held(crowd) == list(served)
    assert len(served) == 1
    assert Counter(map(type, answers)) == {UUID: TIMES // 2, KeyReused: TIMES // 2}
    assert await pools(crowd, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}


async def test_control_looking_for_the_key_before_working_works_every_time(crowd: Database, schedule: Schedule) -> None:
    same, together = key(), asyncio.Barrier(TIMES)

    async def naive() -> UUID:
        async with crowd.transaction() as session:
            known = await session.scalar(select(IdempotencyKey.result_id).where(IdempotencyKey.key == same))
            await together.wait()
            return known or uuid7()

    assert len(set(await asyncio.gather(*(naive() for _ in range(TIMES))))) == TIMES
