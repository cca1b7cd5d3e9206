"""Scribes: rows and a journal, the same by a session of the ORM and without one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC
from uuid import UUID

import pytest
from sqlalchemy import func

from core.db import Database
from core.detached import Detached
from core.ids import uuid7
from core.journal import Book
from core.rows import Scribe
from models import Hold, HoldStatus

HOLDS = Detached(Hold)
ONE = f"SELECT {HOLDS.columns} FROM holds WHERE id = $1"  # noqa: S608 - our own words
KEYS = Book(
    "keys",
    """INSERT INTO idempotency_keys (owner, operation, key, fingerprint, result_id)
    SELECT 'guest', 'test', key, '', result FROM unnest({}::text[], {}::uuid[]) AS line (key, result)""",
)
PLACES = Book(
    "airports",
    """INSERT INTO airports (iata_code, name, city, country, zone, latitude, longitude)
    SELECT code, 'Nowhere', 'Nowhere', 'XX', 'UTC', 0, 0 FROM unnest({}::text[]) AS line (code)""",
)
COUNT = "SELECT (SELECT count(*) FROM idempotency_keys WHERE operation = 'test'), (SELECT count(*) FROM airports)"

Begin = Callable[[Database], AbstractAsyncContextManager[Scribe]]


@pytest.fixture(params=[Database.transaction, Database.writing])
def begin(request: pytest.FixtureRequest) -> Begin:
    kind: Begin = request.param
    return kind


def new() -> Hold:
    """A hold that PostgreSQL gives its times."""
    now = func.jetway_now()
    return Hold(id=uuid7(), status=HoldStatus.ACTIVE, minutes=15, created_at=now, expires_at=now, cap_at=now)


async def stored(database: Database, id_: UUID) -> Hold:
    """The hold as it is committed."""
    (columns,) = await database.reader(primary=True).fetch(ONE, id_)
    return HOLDS.row(columns)


async def written(database: Database) -> tuple[int, int]:
    """How many lines of the two books are committed."""
    ((keys, places),) = await database.reader(primary=True).fetch(COUNT)
    return keys, places


async def test_a_new_row_has_what_postgres_computed(database: Database, begin: Begin) -> None:
    hold = new()
    async with begin(database) as scribe:
        await scribe.insert(hold)
        assert (hold.extensions, hold.created_at.tzinfo) == (0, UTC)
    found = await stored(database, hold.id)
    assert (found.status, found.created_at, found.owner_id) == (HoldStatus.ACTIVE, hold.created_at, None)


async def test_what_was_saved_is_there_for_the_next_statement_and_afterwards(database: Database, begin: Begin) -> None:
    holds = [new(), new()]
    async with begin(database) as scribe:
        for hold in holds:
            await scribe.insert(hold)
    async with begin(database) as scribe:
        for hold in holds:
            (columns,) = await scribe.fetch(f"{ONE} FOR UPDATE", hold.id)
            known = HOLDS.known(scribe, columns)
            known.extensions, known.status = 2, HoldStatus.RELEASED
            await scribe.save(known)
        assert [(await scribe.fetch(ONE, hold.id))[0][1] for hold in holds] == ["RELEASED", "RELEASED"]
        known.minutes = 5
        await scribe.save(known)
    found = [await stored(database, hold.id) for hold in holds]
    assert [(one.status, one.extensions, one.minutes) for one in found] == [
        (HoldStatus.RELEASED, 2, 15),
        (HoldStatus.RELEASED, 2, 5),
    ]


async def test_a_row_that_is_read_again_is_the_same_as_it_is_now(database: Database, begin: Begin) -> None:
    hold = new()
    async with begin(database) as scribe:
        await scribe.insert(hold)
        await scribe.fetch("UPDATE holds SET extensions = 1 WHERE id = $1", hold.id)
        (columns,) = await scribe.fetch(ONE, hold.id)
        assert HOLDS.known(scribe, columns) is hold
        assert hold.extensions == 1
        await scribe.fetch("UPDATE holds SET extensions = 2 WHERE id = $1", hold.id)
        await scribe.save(hold)
    assert (await stored(database, hold.id)).extensions == 2


async def test_lines_are_written_at_the_end_or_when_somebody_asks(database: Database, begin: Begin) -> None:
    before = await written(database)
    async with begin(database) as scribe:
        scribe.note(KEYS, "one", uuid7())
        scribe.note(PLACES, "XXA")
        scribe.note(KEYS, "two", uuid7())
        assert tuple((await scribe.fetch(COUNT))[0]) == before
        await scribe.settle()
        assert tuple((await scribe.fetch(COUNT))[0]) == (before[0] + 2, before[1] + 1)
        scribe.note(PLACES, "XXB")
    assert await written(database) == (before[0] + 2, before[1] + 2)


async def test_what_was_saved_and_noted_in_vain_is_not_written(database: Database, begin: Begin) -> None:
    hold, before = new(), await written(database)
    async with begin(database) as scribe:
        await scribe.insert(hold)

    async def fail() -> None:
        async with begin(database) as scribe:
            known = HOLDS.known(scribe, (await scribe.fetch(ONE, hold.id))[0])
            known.extensions = 2
            await scribe.save(known)
            scribe.note(KEYS, "one", uuid7())
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await written(database) == before
    assert (await stored(database, hold.id)).extensions == 0


async def test_what_was_noted_in_an_attempt_is_undone_with_it(database: Database) -> None:
    before = await written(database)
    async with database.transaction() as session:
        session.note(PLACES, "XXA")

        async def fail() -> None:
            async with session.attempt():
                session.note(PLACES, "XXB")
                raise KeyError

        with pytest.raises(KeyError):
            await fail()
        async with session.attempt():
            session.note(PLACES, "XXC")
    assert await written(database) == (before[0], before[1] + 2)


async def test_without_the_orm_nothing_is_saved_that_postgres_would_compute(database: Database) -> None:
    hold = new()
    async with database.transaction() as session:
        await session.insert(hold)

    async def save() -> None:
        async with database.writing() as scribe:
            known = HOLDS.known(scribe, (await scribe.fetch(ONE, hold.id))[0])
            known.cap_at = func.jetway_now()
            await scribe.save(known)

    with pytest.raises(TypeError):
        await save()
    assert (await stored(database, hold.id)).cap_at == hold.cap_at
