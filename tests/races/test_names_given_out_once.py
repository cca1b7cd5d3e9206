"""Record locators and ticket numbers are given out once, however many draw; a party's numbers follow one another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from core.db import Database
from core.errors import Unavailable
from models import Locator
from services import locators

NAMES = ("AAAAAA", "BBBBBB", "CCCCCC", "DDDDDD", "EEEEEE", "FFFFFF", "GGGGGG", "HHHHHH")
DRAWS, PARTY = 40, 4


def same_names_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each task that draws begin with the first name: as much bad luck as there can be."""
    chances: dict[object, Iterator[str]] = {}

    def unlucky() -> str:
        return next(chances.setdefault(asyncio.current_task(), iter(NAMES)))

    monkeypatch.setattr("services.locators.record_locator", unlucky)


async def draw(database: Database) -> str:
    async with database.transaction() as session:
        (pnr,) = await locators.draw(session, uuid4())
        return str(pnr)


async def test_whoever_draws_a_name_that_is_taken_draws_another(
    crowd: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    same_names_for_everybody(monkeypatch)
    assert sorted(await asyncio.gather(*(draw(crowd) for _ in NAMES))) == list(NAMES)


async def test_who_finds_no_name_in_eight_tries_is_told_so(crowd: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    same_names_for_everybody(monkeypatch)
    await asyncio.gather(*(draw(crowd) for _ in NAMES))
    with pytest.raises(Unavailable):
        await asyncio.create_task(draw(crowd))
    async with crowd.reading() as session:
        assert len((await session.scalars(select(Locator.pnr))).all()) == len(NAMES)


async def test_control_looking_before_writing_gives_one_name_to_all(crowd: Database) -> None:
    together = asyncio.Barrier(len(NAMES))
    async with crowd.transaction() as session:
        await session.execute(text("CREATE TABLE unguarded (pnr text)"))

    async def naive() -> str:
        async with crowd.transaction() as session:
            used = set(await session.scalars(text("SELECT pnr FROM unguarded")))
            await together.wait()
            name = next(one for one in NAMES if one not in used)
            await session.execute(text("INSERT INTO unguarded VALUES (:name)"), {"name": name})
            return name

    assert set(await asyncio.gather(*(naive() for _ in NAMES))) == {NAMES[0]}


async def first_of_a_party(database: Database) -> int:
    async with database.transaction() as session:
        drawn = await session.scalar(text("SELECT draw_serials(:count)"), {"count": PARTY})
        assert isinstance(drawn, int)
        return drawn


async def test_serials_of_a_party_follow_one_another_and_are_nobody_elses(crowd: Database) -> None:
    firsts = sorted(await asyncio.gather(*(first_of_a_party(crowd) for _ in range(DRAWS))))
    assert firsts == [firsts[0] + PARTY * place for place in range(DRAWS)]


async def test_control_drawn_one_by_one_others_come_between(crowd: Database) -> None:
    drawn_once, drawn_between = asyncio.Event(), asyncio.Event()

    async def first() -> list[int]:
        async with crowd.transaction() as session:
            one = await session.scalar(text("SELECT nextval('ticket_serials')"))
            drawn_once.set()
            await drawn_between.wait()
            return [one, await session.scalar(text("SELECT nextval('ticket_serials')"))]

    async def second() -> None:
        await drawn_once.wait()
        async with crowd.transaction() as session:
            await session.execute(text("SELECT nextval('ticket_serials')"))
        drawn_between.set()

    serials, _ = await asyncio.gather(first(), second())
    assert [later - earlier for earlier, later in pairwise(serials)] == [2]
