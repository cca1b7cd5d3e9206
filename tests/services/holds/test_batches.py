"""Many who ask one process at once: nobody fails because of a neighbour, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import Unavailable
from services import holds
from services.holds import Owner, Placed, Placer, SeatsTaken, SoldOut
from services.holds.calls import TAKE
from services.holds.gates import Entry, Gates, LocalGate, Unit, Won
from services.seats import Plans
from tests.factories.holds import CAUSE, GUEST, everything, key, placing, pools, seats, want
from tests.factories.requests import request, take
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked

STRANGER = Owner(user_id=uuid4())
"""A user whom the database does not know: PostgreSQL refuses the whole statement that holds for them."""


@pytest.fixture
async def placer(database: Database, schedule: Schedule) -> AsyncIterator[Placer]:
    """This process's Placer, which knows both flights; 3D of the first is free again."""
    async with placing(database) as made:
        placed = await made.place(GUEST, [want(schedule.first, "3D"), want(schedule.second, "3D")], 15, key())
        async with database.transaction() as session:
            await holds.release(session, placed.id, CAUSE)
        yield made


def kinds(ends: Sequence[object]) -> list[type]:
    """What came of each."""
    return [type(end) for end in ends]


async def test_a_neighbour_that_the_database_refuses_fails_alone(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    owners = [(GUEST, "2A"), (STRANGER, "2B"), (GUEST, "2C")]
    asked = [placer.place(owner, [want(schedule.first, unit)], 15, key()) for owner, unit in owners]
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert kinds(ends) == [Placed, asyncpg.ForeignKeyViolationError, Placed]
    assert {unit for unit, status in (await seats(database, schedule.first)).items() if status == "LOCKED"} == {
        "2A",
        "2C",
    }
    assert await pools(database, schedule.first) == {"ECONOMY": (2, 0), "FIRST": (0, 0)}


async def test_control_without_being_taken_apart_the_batch_fails_whole(database: Database, schedule: Schedule) -> None:
    before = await everything(database)
    connection = await database.connect(lock_timeout="5s")
    owners = [(None, "2A"), (STRANGER.user_id, "2B"), (None, "2C")]
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await take(connection, *(request(schedule.first, unit, owner_id=owner) for owner, unit in owners))
    await connection.close()
    assert await everything(database) == before


async def test_who_waits_for_a_lock_does_not_keep_neighbours_waiting(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT 1 FROM claims WHERE unit = '3D' FOR UPDATE"))
        blocked, free = (
            asyncio.create_task(placer.place(GUEST, [want(schedule.first, unit)], 15, key())) for unit in ("3D", "2A")
        )
        assert (await free).items[0].units == ("2A",)
        assert not blocked.done()
    assert (await blocked).items[0].units == ("3D",)


async def test_who_goes_away_does_not_harm_the_batch(database: Database, schedule: Schedule, placer: Placer) -> None:
    async with database.transaction() as session:
        await session.execute(text("SELECT 1 FROM claims WHERE unit = '3D' FOR UPDATE"))
        stays, goes = (
            asyncio.create_task(placer.place(GUEST, [want(schedule.first, unit)], 15, key())) for unit in ("3D", "2A")
        )
        await until_blocked(database)
        goes.cancel()
    assert (await stays).items[0].units == ("3D",)
    assert goes.cancelled()


CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_a_cut_connection_is_unavailable_and_made_anew(
    database: Database, schedule: Schedule, placer: Placer
) -> None:
    before = await everything(database)
    keys = [key(), key()]
    async with database.transaction() as session:
        await session.execute(text("SELECT 1 FROM claims WHERE unit = '3D' FOR UPDATE"))
        asked = [
            asyncio.create_task(placer.place(GUEST, [want(schedule.first, unit)], 15, one))
            for unit, one in zip(("3D", "2A"), keys, strict=True)
        ]
        await until_blocked(database)
        await session.execute(text(CUT))
        ends = await asyncio.gather(*asked, return_exceptions=True)
    assert kinds(ends) == [Unavailable, Unavailable]
    assert await everything(database) == before
    again = [
        placer.place(GUEST, [want(schedule.first, unit)], 15, one) for unit, one in zip(("3D", "2A"), keys, strict=True)
    ]
    assert kinds(await asyncio.gather(*again)) == [Placed, Placed]


class Deaf:
    """A connection that is lost before the answer to a batch that was carried out."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, statement: str, *arguments: Any) -> Any:
        rows = await self._connection.fetch(statement, *arguments)
        if statement != TAKE:
            return rows
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


async def test_a_commit_whose_answer_was_lost_is_unavailable_and_its_key_tells(
    database: Database, schedule: Schedule, placer: Placer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, same = database.connect, key()

    async def deaf(**options: Any) -> Any:
        return Deaf(await connect(**options))

    monkeypatch.setattr(database, "connect", deaf)
    async with placing(database) as unlucky:
        with pytest.raises(Unavailable):
            await unlucky.place(GUEST, [want(schedule.first, "2A")], 15, same)
    monkeypatch.undo()
    again = await placer.place(GUEST, [want(schedule.first, "2A")], 15, same)
    assert (await seats(database, schedule.first))["2A"] == "LOCKED"
    async with database.reading() as session:
        assert (await session.execute(text("SELECT id FROM holds WHERE status = 'ACTIVE'"))).scalar_one() == again.id


async def test_a_database_that_is_away(schedule: Schedule) -> None:
    nowhere = Database("postgresql+asyncpg://jetway@127.0.0.1:1/jetway")
    async with placing(nowhere) as placer:
        with pytest.raises(Unavailable):
            await placer.place(GUEST, [want(schedule.first, "2A")], 15, key())
    await nowhere.close()


async def test_whoever_waits_is_answered_before_it_closes(database: Database, schedule: Schedule) -> None:
    placer = Placer(database, Plans())
    await placer.place(GUEST, [want(schedule.first, "2A")], 15, key())
    waiting = [
        asyncio.create_task(placer.place(GUEST, [want(schedule.first, unit)], 15, key())) for unit in ("2A", "2B", "2C")
    ]
    await asyncio.sleep(0)
    await placer.aclose()
    assert all(task.done() for task in waiting)
    assert kinds(await asyncio.gather(*waiting, return_exceptions=True)) == [SeatsTaken, Placed, Placed]


async def test_whom_a_batch_has_no_room_for_is_in_the_next(database: Database, schedule: Schedule) -> None:
    rivals = [want(schedule.first, "2A")] * 40
    others = [want(schedule.first, quantities={"FIRST": 1})] * 40
    async with placing(database, gates=Gates([LocalGate()])) as placer:
        asked = [placer.place(GUEST, [one], 15, key()) for one in (*rivals, *others)]
        ends = kinds(await asyncio.gather(*asked, return_exceptions=True))
    assert Counter(ends[:40]) == {Placed: 1, SeatsTaken: 39}
    assert Counter(ends[40:]) == {Placed: 4, SoldOut: 36}
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (4, 0)}


class Pessimist:
    """A gate that sees no chance for anybody, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        return [False] * len(entries)

    async def settled(self, entries: Sequence[Entry]) -> None:
        """Nothing is under way."""

    async def confirm(self, won: Sequence[Won]) -> None:
        self.told += [("won", one.entry.units) for one in won]

    async def leave(self, lost: Sequence[Entry]) -> None:
        self.told += [("lost", entry.units) for entry in lost]

    async def taken(self, units: Collection[Unit]) -> None:
        self.told.append(("taken", set(units)))

    async def forget(self) -> None:
        """It knows nothing."""

    async def aclose(self) -> None:
        """It has nothing."""


async def test_no_gate_can_refuse_a_free_seat(database: Database, schedule: Schedule) -> None:
    gate, same = Pessimist(), key()
    async with placing(database, gates=Gates([gate])) as placer:
        first = await placer.place(GUEST, [want(schedule.first, "2A")], 15, same)
        before = await everything(database)
        assert await placer.place(GUEST, [want(schedule.first, "2A")], 15, same) == first
        with pytest.raises(SeatsTaken) as refusal:
            await placer.place(GUEST, [want(schedule.first, "2B", "2A")], 15, key())
        assert refusal.value.taken == {schedule.first: ["2A"]}
        assert await everything(database) == before
    unit = (schedule.first, "2A")
    assert gate.told == [("won", (unit,)), ("lost", (unit,)), ("taken", {unit})]
