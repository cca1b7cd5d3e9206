"""A payment in doubt waits for staff: its seats are kept, its payer learns nothing, it is decided once or ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from core.db import Database
from core.errors import Conflict, NotFound
from models import Booking, FraudMeasure, FraudSubject, FraudVerdict, Hold, Payment, PaymentStatus
from services import bookings, outbox
from services.fraud import Payer, ReviewOver, reviews
from services.gateways import Gateways
from services.holds import HoldExpired
from services.payments import PaymentDeclined
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot
from tests.factories.fraud import ADA, rule
from tests.factories.shares import pay_share, split
from tests.fakes.sandbox import Sandbox

DOUBTFUL = "pm_card_riskLevelElevated"
STAFF = Cause(actor="user:7", reason="known to us")
HOUR = timedelta(hours=1)


async def pay(
    desk: Desk, gateways: Gateways, booking: Booking, method: str = DOUBTFUL, key_: str = "", payer: Payer = ADA
) -> Payment:
    return await bookings.pay(desk.database, gateways, booking.id, method, None, GUEST, key_ or key(), payer)


async def booking_of(database: Database, booking: Booking) -> Booking:
    async with database.reading() as session:
        return await session.get_one(Booking, booking.id)


async def deadlines(database: Database) -> tuple[timedelta, timedelta, timedelta]:
    """From when the review was opened, how long its hold lives, until when it may be decided, and the hold's cap."""
    asked = """
        SELECT expires_at - opened_at, payment_reviews.deadline_at - opened_at, cap_at - opened_at
        FROM payment_reviews JOIN payments ON payments.id = payment_id
        JOIN bookings ON bookings.id = booking_id JOIN holds ON holds.id = bookings.hold_id
    """
    async with database.reading() as session:
        one, two, three = (await session.execute(text(asked))).one()
        return one, two, three


async def test_it_waits_and_keeps_its_seats(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    payment = await pay(desk, gateways, booking)
    assert payment.status is PaymentStatus.REVIEW
    assert (await booking_of(desk.database, booking)).status == "PAYMENT_PENDING"
    lives, decided_until, cap = await deadlines(desk.database)
    assert lives == decided_until
    assert timedelta(minutes=29) < lives <= timedelta(minutes=30)
    assert lives <= cap + timedelta(minutes=10)
    async with desk.database.reading() as session:
        (edge,) = (await reviews.queue(session, 10, None)).edges
    assert edge.node.payment.id == payment.id
    assert [one["rule"] for one in edge.node.assessments[0].findings] == ["score_elevated"]
    assert "review.begun" in await facts_of(desk.database, outbox.REVIEWS)


async def test_its_payer_is_told_the_deadline_that_there_was_before(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    same, link = key(), bookings.Link(booking_id=booking.id, share_id=None)

    async def told() -> list[datetime | None]:
        async with desk.database.reading() as session:
            linked = await bookings.linked(session, link)
            dated = (await bookings.by_ids(session, [booking.id]))[booking.id][1]
            hold = await session.get_one(Hold, booking.hold_id)
        return [dated, hold.told_until, linked.expires_at if linked else None]

    before = await told()
    assert len({*before}) == 1
    await pay(desk, gateways, booking, key_=same)
    assert await told() == before
    async with desk.database.reading() as session:
        hold = await session.get_one(Hold, booking.hold_id)
    assert hold.expires_at > hold.told_until
    await pass_time(desk.database, HOUR)
    await bookings.advance(desk.database, gateways, booking.id)
    with pytest.raises(HoldExpired) as over:
        await pay(desk, gateways, booking, key_=same)
    assert over.value.expired_at == before[0]


async def test_a_hold_near_its_cap_gives_staff_what_its_cap_and_one_payment_allow(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    await pass_time(desk.database, timedelta(minutes=14))
    await pay(desk, gateways, booking)
    lives, _, cap = await deadlines(desk.database)
    assert lives == cap + timedelta(minutes=10) < timedelta(minutes=30)


async def test_approved_it_goes_on_at_once(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    same = key()
    payment = await pay(desk, gateways, booking, key_=same)
    assert await bookings.approve(desk.database, payment.id, STAFF) == booking.id
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await booking_of(desk.database, booking)).status == "CONFIRMED"
    assert (await pay(desk, gateways, booking, key_=same)).status is PaymentStatus.CAPTURED
    assert await decision(desk.database) == ("APPROVED", "user:7", "known to us")


async def test_rejected_it_ends_and_its_seats_are_free_before_the_gateway_is_told(
    desk: Desk, gateways: Gateways, booking: Booking, sandbox: Sandbox
) -> None:
    same = key()
    payment = await pay(desk, gateways, booking, key_=same)
    await bookings.reject(desk.database, payment.id, STAFF)
    await desk.hold("3A")
    await bookings.advance(desk.database, gateways, booking.id)
    assert (await booking_of(desk.database, booking)).status == "FAILED"
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"]
    assert await decision(desk.database) == ("REJECTED", "user:7", "known to us")
    with pytest.raises(Conflict) as told:
        await pay(desk, gateways, booking, key_=same)
    assert told.value.code == "BOOKING_FAILED"


async def test_undecided_it_ends_by_time(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    same = key()
    await pay(desk, gateways, booking, key_=same)
    again = await bookings.advance(desk.database, gateways, booking.id)
    assert again is not None
    assert timedelta(minutes=29) < again < timedelta(minutes=31)
    await pass_time(desk.database, HOUR)
    assert await bookings.advance(desk.database, gateways, booking.id) is None
    assert (await booking_of(desk.database, booking)).status == "EXPIRED"
    assert await decision(desk.database) == (None, None, None)
    with pytest.raises(HoldExpired):
        await pay(desk, gateways, booking, key_=same)


async def decision(database: Database) -> tuple[str | None, str | None, str | None]:
    async with database.reading() as session:
        row = (await session.execute(text("SELECT decision, decided_by, reason FROM payment_reviews"))).one()
        return row.decision, row.decided_by, row.reason


async def refused(database: Database, payment_id: UUID) -> None:
    """Neither decision is possible, and trying changes nothing."""
    before = await snapshot(database)
    for decide in (bookings.approve, bookings.reject):
        with pytest.raises(ReviewOver):
            await decide(database, payment_id, STAFF)
    assert await snapshot(database) == before


async def test_what_is_approved_or_over_is_not_decided_again(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    payment = await pay(desk, gateways, booking)
    await bookings.approve(desk.database, payment.id, STAFF)
    await refused(desk.database, payment.id)
    await bookings.advance(desk.database, gateways, booking.id)
    await refused(desk.database, payment.id)


async def test_what_is_rejected_is_not_decided_again(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    payment = await pay(desk, gateways, booking)
    await bookings.reject(desk.database, payment.id, STAFF)
    await refused(desk.database, payment.id)
    await bookings.advance(desk.database, gateways, booking.id)
    await refused(desk.database, payment.id)


async def test_after_its_deadline_it_is_not_decided(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    payment = await pay(desk, gateways, booking)
    await pass_time(desk.database, HOUR)
    await refused(desk.database, payment.id)


async def test_what_nobody_has_to_look_at_is_not_found(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    payment = await pay(desk, gateways, booking, "pm_card_visa")
    for decide in (bookings.approve, bookings.reject):
        for payment_id in (payment.id, uuid4()):
            with pytest.raises(NotFound):
                await decide(desk.database, payment_id, STAFF)


async def test_blocked_before_it_begins_it_is_told_as_a_decline_and_no_gateway_is_asked(
    desk: Desk, gateways: Gateways, booking: Booking, sandbox: Sandbox
) -> None:
    await rule(desk.database, FraudMeasure.PAYMENTS, FraudSubject.USER, 0, FraudVerdict.BLOCK)
    before, same = (await booking_of(desk.database, booking)).status, key()
    told = []
    for _ in range(2):
        with pytest.raises(PaymentDeclined) as refusal:
            await pay(desk, gateways, booking, "pm_card_visa", key_=same)
        told.append((refusal.value.decline_code, refusal.value.message))
    with pytest.raises(PaymentDeclined) as theirs:
        await pay(desk, gateways, booking, "pm_card_visa_chargeDeclined", payer=Payer())
    assert told == [(theirs.value.decline_code, theirs.value.message)] * 2
    assert (await booking_of(desk.database, booking)).status == before == "SEATS_LOCKED"
    assert len(await sandbox.intents(booking.id)) == 1
    assert (await pay(desk, gateways, booking, "pm_card_visa", payer=Payer())).status is PaymentStatus.CAPTURED


async def test_an_owner_sees_in_the_timeline_what_any_payment_shows(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    payment = await pay(desk, gateways, booking)
    await bookings.approve(desk.database, payment.id, STAFF)
    await bookings.advance(desk.database, gateways, booking.id)
    async with desk.database.reading() as session:
        lines = await bookings.timeline(session, await session.get_one(Booking, booking.id))
    assert [(line.came_from, line.to, line.actor) for line in lines if line.subject == "PAYMENT"] == [
        (None, "INITIATED", "OWNER"),
        ("INITIATED", "PROCESSING", "GATEWAY"),
        ("PROCESSING", "AUTHORIZED", "GATEWAY"),
        ("AUTHORIZED", "CAPTURED", "JETWAY"),
    ]


async def test_the_queue_has_the_nearest_deadline_first_page_by_page(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    later = await desk.booked("3B")
    one, two = await pay(desk, gateways, later), await pay(desk, gateways, booking)
    async with desk.database.transaction() as session:
        nearer = "UPDATE payment_reviews SET deadline_at = deadline_at - interval '5 minutes' WHERE payment_id = :id"
        await session.execute(text(nearer), {"id": two.id})
    async with desk.database.reading() as session:
        first = await reviews.queue(session, 1, None)
        second = await reviews.queue(session, 1, first.page_info.end_cursor)
        assert [page.edges[0].node.payment.id for page in (first, second)] == [two.id, one.id]
        assert (first.total_count, first.page_info.has_next_page, second.page_info.has_next_page) == (2, True, False)


async def shared(desk: Desk, gateways: Gateways, booking: Booking) -> tuple[Payment, Payment]:
    """Two shares of a price: one is promised, the other waits for staff."""
    one, two = await split(desk.database, booking, 2)
    promised = await pay_share(desk.database, gateways, one)
    doubtful = await pay_share(desk.database, gateways, two, DOUBTFUL)
    assert (promised.status, doubtful.status) == (PaymentStatus.AUTHORIZED, PaymentStatus.REVIEW)
    return promised, doubtful


async def shares_of(desk: Desk, booking: Booking) -> tuple[str, set[str]]:
    """Where a booking and its payments are."""
    async with desk.database.reading() as session:
        statuses = await session.scalars(select(Payment.status).where(Payment.booking_id == booking.id))
        return (await session.get_one(Booking, booking.id)).status, set(statuses)


async def test_shares_in_doubt_are_decided_until_the_same_deadline(
    desk: Desk, gateways: Gateways, booking: Booking
) -> None:
    one, two = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, one, DOUBTFUL)
    await pass_time(desk.database, timedelta(minutes=5))
    await pay_share(desk.database, gateways, two, DOUBTFUL)
    async with desk.database.reading() as session:
        asked = """
            SELECT count(*), count(DISTINCT deadline_at), max(deadline_at) = max(expires_at)
            FROM payment_reviews, holds
        """
        assert (await session.execute(text(asked))).one() == (2, 1, True)


async def test_a_share_that_is_approved_completes_the_price(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    _, doubtful = await shared(desk, gateways, booking)
    await bookings.approve(desk.database, doubtful.id, STAFF)
    await bookings.advance(desk.database, gateways, booking.id)
    assert await shares_of(desk, booking) == ("CONFIRMED", {"CAPTURED"})


async def test_a_share_that_is_rejected_ends_all_of_them(
    desk: Desk, gateways: Gateways, booking: Booking, sandbox: Sandbox
) -> None:
    _, doubtful = await shared(desk, gateways, booking)
    await bookings.reject(desk.database, doubtful.id, STAFF)
    await bookings.advance(desk.database, gateways, booking.id)
    assert await shares_of(desk, booking) == ("FAILED", {"VOIDED"})
    assert [one["status"] for one in await sandbox.intents(booking.id)] == ["canceled"] * 2
