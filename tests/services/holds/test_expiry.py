"""What deadlines decided is written down once: pools, history, facts; and old tombstones go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.db import Database
from services import holds
from services.outbox import VIEWERS
from tests.factories.holds import CAUSE, everything, facts, place, pools, seats, versions
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)


async def expire(database: Database, limit: int = 100) -> int:
    """How many holds expire; whoever only looks has seen whether there are any."""
    seen = await holds.any_due(database.reader(primary=True))
    async with database.transaction() as session:
        count = await holds.expire_due(session, limit)
    assert seen is (count > 0)
    return count


TELL = """
    WITH told AS (UPDATE facts SET position = id RETURNING position)
    INSERT INTO relay_cursors (sink, position) SELECT $1, max(position) FROM told
    ON CONFLICT (sink) DO UPDATE SET position = excluded.position
"""


async def sweep(database: Database, limit: int = 100, *, told: bool = True) -> int:
    """Sweep tombstones, as `told` once viewers have been told all that happened."""
    async with database.transaction() as session:
        if told:
            await session.fetch(TELL, VIEWERS)
        return await holds.sweep_tombstones(session, limit)


async def statuses(database: Database) -> list[str]:
    """The status of each hold, in the order in which they were placed."""
    async with database.reading() as session:
        return list(await session.scalars(text("SELECT status FROM holds ORDER BY created_at, id")))


async def told(database: Database, kind: str) -> list[Any]:
    """What the facts of a kind say, in order."""
    async with database.reading() as session:
        found = await session.scalars(text("SELECT payload FROM facts WHERE kind = :kind ORDER BY id"), {"kind": kind})
        return list(found)


async def test_nothing_expires_before_its_deadline(database: Database, held: UUID, noon: datetime) -> None:
    await set_clock(database, noon + 15 * MINUTE - INSTANT)
    before = await everything(database)
    assert await expire(database) == 0
    assert await everything(database) == before


async def test_pools_are_returned_exactly_once(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await place(database, schedule.second, "1A", "3A", minutes=5)
    await set_clock(database, noon + 15 * MINUTE)
    assert await expire(database) == 2
    nothing = {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert [await pools(database, slot) for slot in (schedule.first, schedule.second)] == [nothing, nothing]
    assert await statuses(database) == ["EXPIRED", "EXPIRED"]
    after = await everything(database)
    assert await expire(database) == 0
    assert await everything(database) == after


async def test_it_is_announced_with_new_versions(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    before = await versions(database, schedule.first)
    await set_clock(database, noon + 15 * MINUTE)
    await expire(database)
    after = await versions(database, schedule.first)
    assert (await facts(database))[1:] == [
        ("seat.released", f"slot:{schedule.first}"),
        ("hold.expired", f"hold:{held}"),
    ]
    (released,) = await told(database, "seat.released")
    assert sorted(released["seats"], key=lambda seat: str(seat["number"])) == [
        {"number": unit, "status": "AVAILABLE", "version": after[unit]} for unit in ("2A", "2B")
    ]
    assert min(after.values()) > max(before.values())
    why = {"status": "EXPIRED", "from": "ACTIVE", "actor": "deadline", "reason": "its time was over"}
    assert await told(database, "hold.expired") == [{"hold": str(held), "booking": None, **why}]


async def test_a_line_of_history_tells_why(database: Database, held: UUID, noon: datetime) -> None:
    await set_clock(database, noon + 15 * MINUTE)
    await expire(database)
    async with database.reading() as session:
        columns = "machine, subject_id, from_status, to_status, actor, reason"
        (line,) = (await session.execute(text(f"SELECT {columns} FROM transitions"))).all()  # noqa: S608 - ours
    assert tuple(line) == ("hold", str(held), "ACTIVE", "EXPIRED", "deadline", "its time was over")


async def test_seats_taken_since_are_left_alone(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await set_clock(database, noon + 15 * MINUTE)
    await place(database, schedule.first, "2B")
    assert await expire(database) == 1
    assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "LOCKED"}
    assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}
    (released,) = await told(database, "seat.released")
    assert [seat["number"] for seat in released["seats"]] == ["2A"]


async def test_the_oldest_go_first_and_no_more_than_asked(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await place(database, schedule.first, "3A", minutes=5)
    await place(database, schedule.first, "3B", minutes=10)
    await set_clock(database, noon + 15 * MINUTE)
    seen = []
    for _ in range(4):
        await expire(database, limit=1)
        seen.append(await statuses(database))
    active, over = "ACTIVE", "EXPIRED"
    assert seen == [[active, over, active], [active, over, over], [over] * 3, [over] * 3]


async def test_what_has_ended_otherwise_does_not_expire(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    other = await place(database, schedule.first, "3A")
    async with database.transaction() as session:
        await holds.release(session, other, CAUSE)
        await holds.take_over(session, held, CAUSE)
    await set_clock(database, noon + 60 * MINUTE)
    before = await everything(database)
    assert await expire(database) == 0
    assert await everything(database) == before


async def test_only_the_pools_that_are_asked_for_are_relieved(
    database: Database, schedule: Schedule, held: UUID, noon: datetime
) -> None:
    await place(database, schedule.second, "3A")
    await set_clock(database, noon + 15 * MINUTE)
    for pool, count in (((schedule.first, "FIRST"), 0), ((schedule.first, "ECONOMY"), 1)):
        async with database.transaction() as session:
            assert await holds.expire_due_in(session, [pool]) == count
    assert await pools(database, schedule.second) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}


class TestTombstones:
    """The row of a freed seat stays for ten minutes: then no reader can be about to use an older version."""

    async def test_they_go_after_ten_minutes(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        async with database.transaction() as session:
            await holds.release(session, held, CAUSE)
        await set_clock(database, noon + 10 * MINUTE - INSTANT)
        assert await sweep(database) == 0
        assert list(await versions(database, schedule.first)) == ["2A", "2B"]
        await set_clock(database, noon + 10 * MINUTE)
        assert [await sweep(database, limit=1) for _ in range(3)] == [1, 1, 0]
        assert await versions(database, schedule.first) == {}

    async def test_they_stay_while_viewers_are_to_be_told_of_them(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        async with database.transaction() as session:
            await holds.release(session, held, CAUSE)
        await set_clock(database, noon + 60 * MINUTE)
        assert await sweep(database, told=False) == 0
        assert list(await versions(database, schedule.first)) == ["2A", "2B"]
        assert await sweep(database) == 2

    async def test_what_is_taken_is_never_swept(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        booked = await place(database, schedule.first, "3A")
        async with database.transaction() as session:
            await holds.take_over(session, booked, CAUSE)
        await set_clock(database, noon + 60 * MINUTE)
        assert await sweep(database) == 0
        before = await everything(database)
        assert await sweep(database) == 0
        assert await everything(database) == before

    async def test_the_version_of_a_seat_never_goes_back(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        seen = [(await versions(database, schedule.first))["2A"]]
        for minute in (20, 40, 60):
            await set_clock(database, noon + minute * MINUTE)
            await expire(database)
            seen.append((await versions(database, schedule.first))["2A"])
            await sweep(database)
            await place(database, schedule.first, "2A")
            seen.append((await versions(database, schedule.first))["2A"])
        assert seen == sorted(set(seen))

    async def test_a_swept_seat_taken_again_is_newer_than_its_tombstone_was(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        async with database.transaction() as session:
            await holds.release(session, held, CAUSE)
        tombstone = (await versions(database, schedule.first))["2A"]
        await set_clock(database, noon + 10 * MINUTE)
        await sweep(database)
        await place(database, schedule.first, "2A")
        assert (await versions(database, schedule.first))["2A"] > tombstone
