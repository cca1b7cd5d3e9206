"""Notices: what an owner is told of a booking and its money, and what they have read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from core.db import Database
from core.errors import Invalid, NotFound
from core.paging import write_cursor
from models import Booking, Notice, NoticeKind
from services import bookings, notices
from services.gateways import Gateways
from services.holds import Owner
from services.payments import PaymentDeclined
from tests.factories.bookings import facts_of, key
from tests.services.notices.conftest import Book

K = NoticeKind


async def told(database: Database, owner: UUID) -> list[Notice]:
    """The owner's notices, the oldest first."""
    async with database.reading() as session:
        return (await notices.newest(session, owner, 100))[::-1]


async def unread(database: Database, owner: UUID) -> int:
    async with database.reading() as session:
        return await notices.count_unread(session, owner)


async def test_the_owner_is_told_of_a_decline_a_confirmation_and_money_that_comes_back(
    database: Database, gateways: Gateways, book: Book, ada: UUID
) -> None:
    with pytest.raises(PaymentDeclined):
        await book("2A", ada, "pm_card_chargeDeclined")
    async with database.reading() as session:
        booking = (await session.scalars(select(Booking))).one()
    owner = Owner(user_id=ada)
    await bookings.pay(database, gateways, booking.id, "pm_card_visa", None, owner, key())
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, await session.get_one(Booking, booking.id))
    await bookings.cancel(database, gateways, quote.id, booking.id, owner, key())
    found = await told(database, ada)
    assert [one.kind for one in found] == [
        K.PAYMENT_DECLINED, K.BOOKING_CONFIRMED, K.BOOKING_CANCELLED, K.PAYMENT_REFUNDED,
    ]  # fmt: skip
    assert {one.booking_id for one in found} == {booking.id}
    assert found[1].message == f"Your booking {booking.pnr} is paid and confirmed."
    assert await facts_of(database, f"notices:{ada}") == ["notice.written"] * 4
    assert (await facts_of(database, f"booking:{booking.id}")).count("booking.notified") == 4


async def test_a_guest_has_no_list_and_is_told_where_the_booking_is_watched(database: Database, book: Book) -> None:
    await book("2A")
    async with database.reading() as session:
        assert (await session.scalars(select(Notice))).all() == []


async def test_the_same_source_tells_once(database: Database, book: Book, ada: UUID) -> None:
    booking = await book("2A", ada, None)
    message = notices.Message(kind=K.ALERT, text="Hello.", source="one")
    for again in (message, message, replace(message, source="two")):
        async with database.transaction() as session:
            await notices.write(session, [booking], again)
    assert [(one.source, one.kind) for one in await told(database, ada)] == [("one", K.ALERT), ("two", K.ALERT)]


async def test_a_list_page_by_page_the_newest_first(database: Database, book: Book, ada: UUID) -> None:
    ids = await three(database, book, ada)
    async with database.reading() as session:
        first = await notices.page(session, ada, 2, None)
        rest = await notices.page(session, ada, 2, first.page_info.end_cursor)
    assert [edge.node.id for edge in (*first.edges, *rest.edges)] == ids[::-1]
    assert (first.total_count, first.page_info.has_next_page, rest.page_info.has_next_page) == (3, True, False)


@pytest.mark.parametrize("after", ["nonsense", write_cursor(("nonsense",)), write_cursor((7,))])
async def test_a_malformed_cursor_is_refused(database: Database, after: str) -> None:
    with pytest.raises(Invalid) as refused:
        async with database.reading() as session:
            await notices.page(session, uuid4(), 2, after)
    assert refused.value.code == "INVALID_CURSOR"


async def test_what_was_read_stays_read(database: Database, book: Book, ada: UUID) -> None:
    one, two, three_ = await three(database, book, ada)
    assert await unread(database, ada) == 3
    await read(database, ada, [one, two])
    since = (await told(database, ada))[0].read_at
    await read(database, ada, [one])
    assert (await told(database, ada))[0].read_at == since is not None
    async with database.reading() as session:
        page = await notices.page(session, ada, 10, None, unread=True)
    assert [edge.node.id for edge in page.edges] == [three_]
    await read(database, ada, None)
    await read(database, ada, None)
    assert await unread(database, ada) == 0
    assert (await facts_of(database, f"notices:{ada}"))[-2:] == ["notice.read", "notice.read"]


async def test_nobody_reads_anothers(database: Database, book: Book, ada: UUID) -> None:
    ids = await three(database, book, ada)
    for reader, asked in ((uuid4(), ids[:1]), (ada, [ids[0], uuid4()])):
        with pytest.raises(NotFound):
            await read(database, reader, asked)
    await read(database, uuid4(), None)
    assert await unread(database, ada) == 3
    async with database.reading() as session:
        assert await notices.of_owner(session, uuid4(), ids) == []


async def three(database: Database, book: Book, owner: UUID) -> list[UUID]:
    """The ids of three notices of the owner, the oldest first."""
    booking = await book("2A", owner, None)
    for source in "abc":
        async with database.transaction() as session:
            message = notices.Message(kind=K.ALERT, text=f"{source}.", source=source)
            await notices.write(session, [booking], message)
    return [one.id for one in await told(database, owner)]


async def read(database: Database, owner: UUID, ids: list[UUID] | None) -> None:
    async with database.transaction() as session:
        await notices.mark_read(session, owner, ids)
