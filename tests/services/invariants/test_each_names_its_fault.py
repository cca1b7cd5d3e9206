"""Nothing is broken after an honest day; and each invariant names the fault that was planted for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.keys import Keyring
from models import PassengerType
from services import bookings, holds, invariants
from services.amendments import CorrectName
from services.gateways import Gateways
from services.seats import Plans
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, Desk, key, pass_time, traveller
from tests.factories.extras import MEAL, choice, put_on_sale
from tests.factories.holds import CAUSE, hold, want
from tests.factories.schedules import Schedule
from tests.factories.shares import split

ADULT = PassengerType.ADULT
PLANTED: dict[str, tuple[list[str], set[str]]] = {
    "a claim on nothing": (
        [
            "INSERT INTO claims VALUES (1, '99Z', 'BLOCKED', NULL, NULL, 1, now())",
        ],
        {"Claims are units of their slot's layout"},
    ),
    "a claim of a dead hold": (
        [
            "UPDATE claims SET hold_id = gen_random_uuid() WHERE unit = '3B'",
        ],
        {"A live claim belongs to a live hold, which keeps that very unit", "A live hold has every unit that it keeps"},
    ),
    "a hold that lost a seat": (
        [
            "UPDATE claims SET status = 'AVAILABLE', hold_id = NULL, expires_at = NULL WHERE unit = '3B'",
        ],
        {"A live hold has every unit that it keeps"},
    ),
    "a hold for ever": (
        [
            "ALTER TABLE holds DROP CONSTRAINT ck_holds_capped",
            """
            UPDATE claims SET expires_at = expires_at + interval '1 day'
            WHERE hold_id = (SELECT id FROM holds WHERE status = 'ACTIVE' AND booking_id IS NULL)
            """,
            """
            UPDATE holds SET expires_at = expires_at + interval '1 day'
            WHERE id = (SELECT id FROM holds WHERE status = 'ACTIVE' AND booking_id IS NULL)
            """,
        ],
        {"No hold outlives its cap and one payment"},
    ),
    "a sweeper that stopped": (
        [
            """
            UPDATE claims SET expires_at = now() - interval '1 minute'
            WHERE hold_id = (SELECT id FROM holds WHERE status = 'ACTIVE' AND booking_id IS NULL)
            """,
            """
            UPDATE holds SET expires_at = now() - interval '1 minute'
            WHERE id = (SELECT id FROM holds WHERE status = 'ACTIVE' AND booking_id IS NULL)
            """,
        ],
        {"A hold whose deadline has passed is written down at once"},
    ),
    "a payment that went on though nobody approved it": (
        [
            """
            INSERT INTO payment_reviews (payment_id, deadline_at)
            SELECT id, now() FROM payments WHERE status = 'CAPTURED'
            """,
        ],
        {"A payment in doubt goes on where staff approve it, and keeps its seats until they have"},
    ),
    "a payment that nobody is to look at": (
        ["UPDATE payments SET status = 'REVIEW' WHERE status = 'CAPTURED'"],
        {
            "A payment in doubt goes on where staff approve it, and keeps its seats until they have",
            "Every status is where its history ends",
        },
    ),
    "a lost count of what is held": (
        [
            "UPDATE pools SET held = held - 1 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"Pools count what their holds keep and have sold"},
    ),
    "a seat that was sold twice": (
        [
            "UPDATE pools SET sold = sold + 1 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"Pools count what their holds keep and have sold", "Pools have sold what bookings own"},
    ),
    "a lost count of a class": (
        [
            "UPDATE pools SET class_sold[1] = class_sold[1] - 1 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"Booking classes count what holds keep and have sold in them"},
    ),
    "a class that the pool does not have": (
        [
            """
            UPDATE hold_items SET booking_class = 'Q'
            WHERE hold_id = (SELECT id FROM holds WHERE status = 'ACTIVE' AND booking_id IS NULL)
            """,
        ],
        {"Booking classes count what holds keep and have sold in them"},
    ),
    "a lost count of what is blocked": (
        [
            "UPDATE pools SET blocked = 0 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"Pools have blocked the seats that staff keep from sale"},
    ),
    "more seats than there are": (
        [
            "UPDATE pools SET authorised = 5, capacity = 3, overbooking = 2 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"The seats that are held, sold and blocked are no more than there are"},
    ),
    "more authorised than may be": (
        [
            "ALTER TABLE pools DROP CONSTRAINT ck_pools_within_capacity",
            "UPDATE pools SET authorised = 9 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"No more is held and sold than is authorised, and no more authorised than may be"},
    ),
    "more sold than authorised": (
        [
            "ALTER TABLE pools DROP CONSTRAINT ck_pools_never_oversold",
            "UPDATE pools SET authorised = 3 WHERE slot_id = 1 AND code = 'ECONOMY'",
        ],
        {"No more is held and sold than is authorised, and no more authorised than may be"},
    ),
    "a booking that ended without its hold": (
        [
            "UPDATE bookings SET status = 'EXPIRED' WHERE status = 'SEATS_LOCKED'",
        ],
        {"A booking that is over keeps no seats", "Every status is where its history ends"},
    ),
    "a seat that was given away": (
        [
            "UPDATE seat_assignments SET unit = '3D' WHERE unit = '2A'",
        ],
        {"A confirmed booking owns its places", "Seats are charged to whoever sits there"},
    ),
    "a seat that nobody of the booking has is charged": (
        [
            "UPDATE booking_lines SET unit = '3C' WHERE unit = '2A'",
        ],
        {"Seats are charged to whoever sits there"},
    ),
    "a place that was given away": (
        [
            """
            UPDATE hold_items SET returned = 1
            WHERE hold_id = (SELECT hold_id FROM bookings WHERE status = 'CONFIRMED') AND pool = 'ECONOMY'
            """,
        ],
        {
            "A confirmed booking owns its places",
            "Booking classes count what holds keep and have sold in them",
            "Pools count what their holds keep and have sold",
        },
    ),
    "a price that does not add up": (
        [
            "UPDATE bookings SET total = total + 1 WHERE status = 'SEATS_LOCKED'",
        ],
        {
            "A booking costs what its lines add up to",
            "Shares add up to the price while it is being paid, and each is paid by itself",
        },
    ),
    "a ticket that was never issued": (
        [
            "DELETE FROM tickets WHERE number = (SELECT min(number) FROM tickets)",
        ],
        {"A confirmed booking is paid in full, and has a ticket for each passenger and flight"},
    ),
    "money kept for nothing": (
        [
            """
            UPDATE transitions SET to_status = 'FAILED'
            WHERE subject_id = (SELECT id FROM bookings WHERE status = 'CONFIRMED')::text AND to_status = 'CONFIRMED'
            """,
            "UPDATE tickets SET status = 'VOID'",
            """
            UPDATE hold_items SET returned = quantity FROM bookings
            WHERE bookings.status = 'CONFIRMED' AND hold_items.hold_id = bookings.hold_id
            """,
            "UPDATE claims SET status = 'AVAILABLE', hold_id = NULL WHERE status = 'BOOKED'",
            "UPDATE pools SET sold = 0, class_sold = '{0,0}' WHERE slot_id = 1 AND code = 'ECONOMY'",
            "UPDATE pools SET sold = 0 WHERE code LIKE 'extra:%'",
            "DELETE FROM booking_extras WHERE status = 'ISSUED'",
            "UPDATE bookings SET status = 'FAILED' WHERE status = 'CONFIRMED'",
        ],
        {
            "A booking that is over keeps no money that it does not owe, and no open ticket",
            "A booking's balances are what its status owes",
        },
    ),
    "a capture that is not in the ledger": (
        [
            "SET LOCAL session_replication_role = replica",
            """
            DELETE FROM ledger
            WHERE kind = 'CAPTURED' AND booking_id IN (SELECT id FROM bookings WHERE status = 'CONFIRMED')
            """,
            "SET LOCAL session_replication_role = origin",
        ],
        {
            "The ledger has every capture, refund and fee once, and nothing else",
            "A booking's balances are what its status owes",
        },
    ),
    "money that the ledger has twice": (
        [
            """
            INSERT INTO ledger (id, booking_id, kind, subject, debit, credit, amount, currency, at)
            SELECT gen_random_uuid(), booking_id, kind, booking_id, debit, credit, amount, currency, at
            FROM ledger WHERE kind = 'CAPTURED'
            """,
        ],
        {
            "The ledger has every capture, refund and fee once, and nothing else",
            "A booking's balances are what its status owes",
        },
    ),
    "a passenger who left with an open ticket": (
        [
            """
            UPDATE passengers SET cancelled_at = now()
            WHERE ordinal = 1 AND booking_id = (SELECT id FROM bookings WHERE status = 'CONFIRMED')
            """,
        ],
        {"A confirmed booking is paid in full, and has a ticket for each passenger and flight"},
    ),
    "a fee that was never kept": (
        [
            """
            UPDATE cancellation_quotes SET fee = fee + 1
            WHERE id = (SELECT id FROM cancellation_quotes WHERE used_at IS NOT NULL)
            """,
        ],
        {
            "A booking that is over keeps no money that it does not owe, and no open ticket",
            "The ledger has every capture, refund and fee once, and nothing else",
        },
    ),
    "a journey that is over and was not earned": (
        [
            """
            UPDATE transitions SET to_status = 'COMPLETED'
            WHERE subject_id = (SELECT id FROM bookings WHERE status = 'CONFIRMED')::text AND to_status = 'CONFIRMED'
            """,
            "UPDATE bookings SET status = 'COMPLETED' WHERE status = 'CONFIRMED'",
        ],
        {
            "The ledger has every capture, refund and fee once, and nothing else",
            "A booking's balances are what its status owes",
        },
    ),
    "a posting in another currency": (
        [
            "SET LOCAL session_replication_role = replica",
            "UPDATE ledger SET currency = 'JPY' WHERE kind = 'REFUNDED'",
            "SET LOCAL session_replication_role = origin",
        ],
        {"The ledger has every capture, refund and fee once, and nothing else"},
    ),
    "an extra that was forgotten": (
        [
            "UPDATE booking_extras SET status = 'ORDERED', number = NULL WHERE status = 'ISSUED'",
        ],
        {
            "An extra is worth what its booking is",
            "Pools have sold what bookings own",
            "Every status is where its history ends",
        },
    ),
    "a meal that nobody has": (
        [
            "UPDATE booking_extras SET quantity = 2 WHERE status = 'ORDERED'",
        ],
        {"A booking's hold keeps the counted extras that its passengers have"},
    ),
    "a change that kept a seat": (
        [
            """
            UPDATE holds SET booking_id = amendments.booking_id FROM amendments
            WHERE holds.status = 'ACTIVE' AND holds.booking_id IS NULL
            """,
            """
            UPDATE amendments SET hold_id = holds.id FROM holds
            WHERE holds.booking_id = amendments.booking_id AND holds.status = 'ACTIVE'
            """,
        ],
        {"A change that is over keeps nothing of its own"},
    ),
    "shares that are not the price": (
        [
            "UPDATE shares SET amount = amount + 1 WHERE ordinal = 0",
        ],
        {"Shares add up to the price while it is being paid, and each is paid by itself"},
    ),
    "a share that another payment pays": (
        [
            "UPDATE payments SET share_id = (SELECT id FROM shares WHERE ordinal = 0) WHERE status = 'CAPTURED'",
        ],
        {"Shares add up to the price while it is being paid, and each is paid by itself"},
    ),
    "all of a split price paid at once": (
        [
            """
            INSERT INTO shares (id, booking_id, ordinal, amount, currency, label, created_at)
            SELECT gen_random_uuid(), booking_id, 0, amount, currency, 'Ada', now()
            FROM payments WHERE status = 'CAPTURED'
            """,
        ],
        {"Shares add up to the price while it is being paid, and each is paid by itself"},
    ),
    "a status without a history": (
        [
            "DELETE FROM transitions WHERE subject_id = (SELECT id FROM bookings WHERE status = 'CONFIRMED')::text",
        ],
        {"Every status is where its history ends"},
    ),
    "a relay that stopped": (
        [
            "UPDATE facts SET recorded_at = now() - interval '2 minutes'",
        ],
        {"What happened is told"},
    ),
}
"""What is done to the database behind everybody's back, and which invariants that breaks."""


@pytest.fixture
async def day(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule, gateways: Gateways) -> Database:
    """A database after an honest day: bookings paid, changed, waiting, in doubt, cancelled, a hold, a blocked seat."""
    desk = Desk(database, keyring, plans, schedule)
    await put_on_sale(database, schedule)
    later = await hold(database, want(schedule.first, "2A", quantities={"ECONOMY": 1}))
    meal = (choice(schedule, MEAL),)
    party = [
        replace(traveller(schedule, ADULT, "Lovelace", "2A"), extras=meal),
        traveller(schedule, ADULT, "Byron"),
    ]
    paid = await desk.create(desk.command(await desk.offer(adults=2), later.id, *party))
    changes = Changes(desk, gateways)
    cancelled = await desk.booked("2D")
    for booking in (paid, cancelled):
        await bookings.pay(database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    byron = (await changes.people(paid))[1]
    await changes.confirm(await changes.quote(paid, CorrectName(passenger_id=byron.id, first_name="Adah")), None)
    async with database.transaction() as session:
        quote = await bookings.quote_cancellation(session, cancelled)
    await bookings.cancel(database, gateways, quote.id, cancelled.id, GUEST, key())
    hungry = replace(traveller(schedule, ADULT, "Lovelace", "3A"), extras=meal)
    waiting = await desk.create(desk.command(await desk.offer(), await desk.hold("3A"), hungry))
    await split(database, waiting, 2)
    doubtful = await desk.booked("3D")
    await bookings.pay(database, gateways, doubtful.id, "pm_card_riskLevelElevated", None, GUEST, key())
    async with database.transaction() as session:
        await holds.block(session, schedule.first, ["3C"], CAUSE)
    await desk.hold("3B")
    return database


async def broken(database: Database) -> set[str]:
    """The names of the invariants that are broken."""
    return {one.name for one in await invariants.check(database) if one.broken}


async def test_an_honest_day_breaks_nothing(day: Database) -> None:
    findings = await invariants.check(day)
    assert {one.name: list(one.broken) for one in findings if one.broken} == {}
    counted = {one.name for one in findings if one.counted == 0}
    assert counted == {"A hold whose deadline has passed is written down at once"}


async def test_nor_does_what_follows_it(day: Database) -> None:
    await pass_time(day, timedelta(minutes=16))
    assert await broken(day) == {"A hold whose deadline has passed is written down at once"}
    async with day.transaction() as session:
        assert await bookings.expire_abandoned(session, 10) == 1
        assert await holds.expire_due(session, 10) == 2
    assert await broken(day) == set()


async def test_each_fault_is_named(day: Database) -> None:
    """One database for all of them: each is planted in a transaction that is undone."""
    for fault, (statements, expected) in PLANTED.items():
        async with day.transaction() as session:
            for statement in statements:
                await session.execute(text(statement))
            found = {one.name for one in await invariants.ask(session) if one.broken}
            await session.rollback()
        assert (fault, found) == (fault, expected)
    assert await broken(day) == set()


def test_no_invariant_is_left_without_a_fault() -> None:
    assert {name for _, names in PLANTED.values() for name in names} == {one.name for one in invariants.INVARIANTS}
