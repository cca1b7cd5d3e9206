"""What many ask at the same time is one statement: nobody waits without need, or is told what was so before they asked,
or fails for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

import asyncpg
import pytest
from sqlalchemy import text

from core import gathering
from core.db import Database
from core.gathering import FEW, TOGETHER, ByKeys
from core.readers import Readers
from core.rows import Reader

QUOTIENTS = "SELECT asked, 12 / asked FROM unnest($1::int[]) AS asked WHERE asked < 1000"
POSITION = "SELECT position FROM relay_heads"


class Sums:
    """Reads what 12 is when it is divided by each of some numbers; `gate` keeps statements from being sent."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.found = ByKeys(self.read)

    async def read(self, reader: Reader, numbers: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(numbers))
        await self.gate.wait()
        return {row[0]: row[1] for row in await reader.fetch(QUOTIENTS, list(numbers))}

    def begin(self, reader: Reader, *numbers: int) -> asyncio.Task[Mapping[int, int]]:
        return asyncio.create_task(asyncio.wait_for(self.found.find(reader, numbers), 30))


async def both(
    one: Awaitable[Mapping[int, int]], other: Awaitable[Mapping[int, int]]
) -> tuple[Mapping[int, int], Mapping[int, int]]:
    return await one, await other


async def turns() -> None:
    """Let whatever is ready run."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine is no statement that does not end."""
    monkeypatch.setattr(gathering, "PATIENCE", 3600.0)


@pytest.fixture
async def readers(database_url: str) -> AsyncIterator[Readers]:
    """At most two connections."""
    made = Readers(database_url, 2)
    yield made
    await made.close()


@pytest.fixture
def sums() -> Sums:
    return Sums()


async def test_whoever_asks_while_nothing_is_under_way_is_served_at_once(readers: Readers, sums: Sums) -> None:
    assert await sums.begin(readers, 3) == {3: 4}
    sums.gate.clear()
    one = sums.begin(readers, 4)
    await turns()
    assert sums.asked == [[3], [4]]
    sums.gate.set()
    assert await one == {4: 3}


async def test_whoever_asks_meanwhile_shares_one_statement_and_gets_what_is_theirs(
    readers: Readers, sums: Sums
) -> None:
    sums.gate.clear()
    first = sums.begin(readers, 1)
    await turns()
    others = [sums.begin(readers, 2, 3), sums.begin(readers, 3, 4), sums.begin(readers, 5000)]
    await turns()
    assert sums.asked == [[1]]
    sums.gate.set()
    assert await asyncio.gather(first, *others) == [{1: 12}, {2: 6, 3: 4}, {3: 4, 4: 3}, {}]
    assert sums.asked == [[1], [2, 3, 4, 5000]]


async def test_whoever_fails_fails_alone(readers: Readers, sums: Sums) -> None:
    sums.gate.clear()
    asked = [sums.begin(readers, 1)]
    await turns()
    asked += [sums.begin(readers, number) for number in (2, 0, 3)]
    await turns()
    sums.gate.set()
    first, second, failed, last = await asyncio.gather(*asked, return_exceptions=True)
    assert (first, second, last) == ({1: 12}, {2: 6}, {3: 4})
    assert isinstance(failed, asyncpg.DivisionByZeroError)
    assert sums.asked == [[1], [2, 0, 3], [2], [0], [3]]


async def test_whoever_stops_waiting_takes_nobody_with_them(readers: Readers, sums: Sums) -> None:
    sums.gate.clear()
    under_way, with_them = sums.begin(readers, 1), sums.begin(readers, 2)
    await turns()
    waiting, later = sums.begin(readers, 3), sums.begin(readers, 4)
    await turns()
    for one in (under_way, waiting):
        one.cancel()
    await turns()
    sums.gate.set()
    assert await both(with_them, later) == ({2: 6}, {4: 3})
    assert sums.asked == [[1, 2], [4]]


async def test_nobody_is_told_what_was_read_before_they_asked(readers: Readers, database: Database) -> None:
    read_once, go_on = asyncio.Event(), asyncio.Event()

    async def positions(reader: Reader, keys: Sequence[str]) -> Mapping[str, int]:
        ((position,),) = await reader.fetch(POSITION)
        read_once.set()
        await go_on.wait()
        return dict.fromkeys(keys, position)

    found = ByKeys(positions)
    before = asyncio.create_task(found.find(readers, ["head"]))
    await read_once.wait()
    async with database.transaction() as session:
        await session.execute(text("UPDATE relay_heads SET position = 7"))
    after = asyncio.create_task(found.find(readers, ["head"]))
    await turns()
    go_on.set()
    assert (await before, await after) == ({"head": 0}, {"head": 7})


async def test_a_session_answers_within_its_own_transaction(database: Database, sums: Sums) -> None:
    sums.gate.clear()
    shared = sums.begin(database.reader(), 1)
    await turns()
    async with database.reading() as session:
        own = sums.begin(session, 2)
        await turns()
        assert sums.asked == [[1], [2]]
        sums.gate.set()
        assert await both(shared, own) == ({1: 12}, {2: 6})


async def test_readers_of_two_databases_do_not_share(readers: Readers, database: Database, sums: Sums) -> None:
    sums.gate.clear()
    asked = [sums.begin(readers, 1)]
    await turns()
    asked.append(sums.begin(database.reader(), 2))
    await turns()
    assert sums.asked == [[1], [2]]
    sums.gate.set()
    assert await asyncio.gather(*asked) == [{1: 12}, {2: 6}]


async def test_a_statement_has_no_more_than_so_many_keys(readers: Readers, sums: Sums) -> None:
    sums.gate.clear()
    asked = [sums.begin(readers, 1)]
    await turns()
    asked.append(sums.begin(readers, *range(1, FEW + 2)))
    await turns()
    assert sums.asked == [[1], list(range(1, FEW + 2))]
    asked += [sums.begin(readers, number) for number in range(1, TOGETHER + 2)]
    await turns()
    sums.gate.set()
    await asyncio.gather(*asked)
    assert sums.asked[2:] == [list(range(1, TOGETHER + 1)), [TOGETHER + 1]]


async def test_a_statement_that_does_not_end_holds_up_nobody_who_comes_later(
    readers: Readers, sums: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums.gate.clear()
    stands = sums.begin(readers, 1)
    await turns()
    monkeypatch.setattr(gathering, "PATIENCE", -1.0)
    later = sums.begin(readers, 2)
    await turns()
    assert sums.asked == [[1], [2]]
    sums.gate.set()
    assert await both(stands, later) == ({1: 12}, {2: 6})


async def test_what_is_under_way_ends_before_connections_are_closed(readers: Readers, sums: Sums) -> None:
    sums.gate.clear()
    gone = sums.begin(readers, 1)
    await turns()
    gone.cancel()
    closing = asyncio.create_task(readers.close())
    await turns()
    assert not closing.done()
    sums.gate.set()
    await asyncio.wait_for(closing, 30)
    assert readers._idle == []
