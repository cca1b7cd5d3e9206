"""A person's bookings page by page, and what happened to each."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from core.errors import Invalid
from core.ids import uuid7
from models import Booking, BookingStatus
from services import bookings
from services.bookings import BookingFilter, TimelineActor
from services.gateways import Gateways
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, key, pass_time

ALL = BookingFilter()


async def ada(desk: Desk) -> UUID:
    """An account."""
    async with desk.database.transaction() as session:
        id_ = uuid7()
        await session.execute(
            text(
                "INSERT INTO users (id, email, name, password_hash, role, created_at)"
                " VALUES (:id, :email, 'Ada', 'x', 'CUSTOMER', now())"
            ),
            {"id": id_, "email": f"{id_}@example.org"},
        )
        return id_


async def booked(desk: Desk, owner: UUID, *units: str) -> Booking:
    """A booking of somebody's."""
    booking = await desk.booked(*units)
    async with desk.database.transaction() as session:
        await session.execute(
            text("UPDATE bookings SET owner_id = :owner WHERE id = :id"), {"owner": owner, "id": booking.id}
        )
    return booking


async def listed(
    desk: Desk, owner: UUID, chosen: BookingFilter = ALL, first: int = 20, after: str | None = None
) -> tuple[list[UUID], int, str | None]:
    """The keys on a page, the number of all, and the cursor of the next page where there is one."""
    async with desk.database.reading() as session:
        page = await bookings.of_owner(session, owner, chosen, first, after)
    cursor = page.page_info.end_cursor if page.page_info.has_next_page else None
    return [one.node.booking.id for one in page.edges], page.total_count, cursor


async def test_pages_go_from_the_newest_to_the_oldest_whatever_is_booked_meanwhile(desk: Desk) -> None:
    owner = await ada(desk)
    one, two, three = [(await booked(desk, owner, unit)).id for unit in ("2A", "2B", "2C")]
    await desk.booked("3A")
    page, total, cursor = await listed(desk, owner, first=2)
    assert (page, total) == ([three, two], 3)
    assert cursor is not None
    four = (await booked(desk, owner, "2D")).id
    assert await listed(desk, owner, first=2, after=cursor) == ([one], 4, None)
    assert (await listed(desk, owner))[0] == [four, three, two, one]
    assert await listed(desk, await ada(desk)) == ([], 0, None)


async def test_they_are_chosen_by_state_and_by_day_of_travel(desk: Desk, gateways: Gateways) -> None:
    owner = await ada(desk)
    waiting, paid = await booked(desk, owner, "2A"), await booked(desk, owner, "2B")
    await bookings.pay(desk.database, gateways, paid.id, "pm_card_visa", None, GUEST, key())
    confirmed = BookingFilter(statuses=[BookingStatus.CONFIRMED])
    assert (await listed(desk, owner, confirmed))[0] == [paid.id]
    assert (await listed(desk, owner, BookingFilter(statuses=[])))[0] == []
    async with desk.database.reading() as session:
        day: date = await session.scalar(
            text("SELECT min(local_date) FROM flights JOIN booking_segments USING (slot_id)")
        )
    both = [paid.id, waiting.id]
    assert (await listed(desk, owner, BookingFilter(departs_from=day, departs_until=day)))[0] == both
    assert (await listed(desk, owner, BookingFilter(departs_from=day + timedelta(days=1))))[0] == []
    assert (await listed(desk, owner, BookingFilter(departs_until=day - timedelta(days=1))))[0] == []


async def test_one_that_waits_for_its_money_says_how_long(desk: Desk, gateways: Gateways) -> None:
    owner = await ada(desk)
    waiting, paid = await booked(desk, owner, "2A"), await booked(desk, owner, "2B")
    await bookings.pay(desk.database, gateways, paid.id, "pm_card_visa", None, GUEST, key())
    async with desk.database.reading() as session:
        page = await bookings.of_owner(session, owner, ALL, 20, None)
        ends = (
            await session.execute(text("SELECT expires_at FROM holds WHERE id = :id"), {"id": waiting.hold_id})
        ).scalar_one()
    assert [(one.node.booking.id, one.node.expires_at) for one in page.edges] == [(paid.id, None), (waiting.id, ends)]


@pytest.mark.parametrize(
    ("first", "after", "field"),
    [(0, None, "first"), (101, None, "first"), (1, "nonsense", "after"), (1, "WyJhIl0", "after")],
)
async def test_what_is_no_page_is_refused(desk: Desk, first: int, after: str | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await listed(desk, uuid7(), first=first, after=after)
    assert refused.value.field == field


async def test_a_timeline_tells_what_happened_and_not_why(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("2A", family="MAIN")
    with pytest.raises(PaymentDeclined):
        await bookings.pay(
            desk.database, gateways, booking.id, "pm_card_visa_chargeDeclinedStolenCard", None, GUEST, key()
        )
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    await pass_time(desk.database, timedelta(hours=1))
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    async with desk.database.reading() as session:
        entries = await bookings.timeline(session, booking)
        number = (await session.execute(text("SELECT number FROM tickets"))).scalar_one()
    assert [(one.subject, one.came_from, one.to, one.actor) for one in entries] == [
        ("BOOKING", None, "INITIATED", "OWNER"),
        ("BOOKING", "INITIATED", "SEATS_LOCKED", "OWNER"),
        ("PAYMENT", None, "INITIATED", "OWNER"),
        ("BOOKING", "SEATS_LOCKED", "PAYMENT_PENDING", "OWNER"),
        ("PAYMENT", "INITIATED", "DECLINED", "JETWAY"),
        ("BOOKING", "PAYMENT_PENDING", "SEATS_LOCKED", "JETWAY"),
        ("PAYMENT", None, "INITIATED", "OWNER"),
        ("BOOKING", "SEATS_LOCKED", "PAYMENT_PENDING", "OWNER"),
        ("PAYMENT", "INITIATED", "AUTHORIZED", "GATEWAY"),
        ("TICKET", None, "OPEN", "JETWAY"),
        ("PAYMENT", "AUTHORIZED", "CAPTURED", "JETWAY"),
        ("BOOKING", "PAYMENT_PENDING", "CONFIRMED", "JETWAY"),
        ("BOOKING", "CONFIRMED", "CANCELLED", "OWNER"),
        ("REFUND", None, "REQUESTED", "OWNER"),
        ("TICKET", "OPEN", "REFUNDED", "OWNER"),
        ("REFUND", "REQUESTED", "SUCCEEDED", "GATEWAY"),
        ("PAYMENT", "CAPTURED", "REFUNDED", "GATEWAY"),
    ]
    assert {one.key for one in entries} == {None, number}
    assert "stolen" not in repr(entries)
    assert sorted(one.at for one in entries) == [one.at for one in entries]


async def test_staff_are_told_apart_from_the_owner(desk: Desk) -> None:
    owner = await ada(desk)
    booking = await booked(desk, owner, "2A")
    async with desk.database.transaction() as session:
        row = await session.get_one(Booking, booking.id)
        for actor in (f"user:{owner}", f"user:{uuid7()}"):
            await session.execute(
                text(
                    "INSERT INTO transitions (id, machine, subject_id, from_status, to_status, actor, reason, at)"
                    " VALUES (:id, 'booking', :subject, 'SEATS_LOCKED', 'SEATS_LOCKED', :actor, 'x', now())"
                ),
                {"id": uuid7(), "subject": str(booking.id), "actor": actor},
            )
        entries = await bookings.timeline(session, row)
    assert [one.actor for one in entries[-2:]] == [TimelineActor.OWNER, TimelineActor.STAFF]
