"""The notices of a user, live: which of them to read again."""

from __future__ import annotations

from contextlib import aclosing
from uuid import UUID, uuid4

import pytest

from core.db import Database
from core.errors import Invalid
from services import live, notices, outbox
from subscriptions.hub import Hub
from subscriptions.notices import NoticesChange, notice_events
from tests.services.live.conftest import Tell

ADA, BOB = uuid4(), uuid4()
ONE, TWO = uuid4(), uuid4()


async def happen(database: Database, kind: str, *ids: UUID, owner: UUID = ADA, whole: bool = False) -> None:
    """Commit a fact about notices; `whole`: about all of the owner's."""
    async with database.transaction() as session:
        payload = {"user": str(owner), "notices": None if whole else [str(one) for one in ids]}
        await outbox.record(session, kind, notices.owner_stream(owner), payload)


def change(position: int, *ids: UUID, reset: bool = False, newest: bool = False) -> NoticesChange:
    return NoticesChange(live.cursor(position), reset, newest, ids)


async def test_the_newest_then_those_that_are_written_or_read(database: Database, hub: Hub, tell: Tell) -> None:
    async with aclosing(notice_events(database, hub, ADA, None)) as events:
        first = await anext(events)
        await happen(database, "notice.written", ONE)
        await happen(database, "notice.written", TWO)
        await happen(database, "notice.written", uuid4(), owner=BOB)
        await tell()
        second = await anext(events)
        await happen(database, "notice.read", ONE)
        await happen(database, "notice.read", whole=True)
        await tell()
        third = await anext(events)
    assert [first, second, third] == [change(0, newest=True), change(2, ONE, TWO), change(5, ONE, newest=True)]


async def test_a_cursor_brings_what_was_missed(database: Database, hub: Hub, tell: Tell) -> None:
    await happen(database, "notice.written", ONE)
    await happen(database, "notice.written", TWO)
    await tell()
    async with aclosing(notice_events(database, hub, ADA, live.cursor(1))) as events:
        assert await anext(events) == change(2, TWO)


async def test_the_newest_with_reset_where_the_past_is_not_known(database: Database, hub: Hub) -> None:
    async with aclosing(notice_events(database, hub, ADA, live.cursor(5))) as events:
        assert await anext(events) == change(0, reset=True, newest=True)


async def test_a_malformed_cursor_is_refused(database: Database, hub: Hub) -> None:
    with pytest.raises(Invalid) as refused:
        await anext(notice_events(database, hub, ADA, "nonsense"))
    assert refused.value.code == "INVALID_CURSOR"
