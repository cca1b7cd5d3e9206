"""What rules count: payments, declines, cards and amounts by what payers are known by, within a window."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import Database
from models import Booking, FraudMeasure, FraudSubject, FraudVerdict, Payment
from services import fraud
from services.fraud import NOBODY
from services.gateways import Risk
from tests.factories.bookings import pass_time
from tests.factories.fraud import ADA, BOB, assessed, declined, payment, rule, screened

pytestmark = pytest.mark.usefixtures("no_rules")

ALLOW, REVIEW, BLOCK = FraudVerdict
CARD, OTHER_CARD = Risk(card=b"c" * 16), Risk(card=b"d" * 16)


async def test_payments_of_one_account_and_of_nobody_else(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.PAYMENTS, FraudSubject.USER, 2)
    assert [await screened(database, booking.id, ADA) for _ in range(4)] == [ALLOW, ALLOW, BLOCK, BLOCK]
    assert await screened(database, booking.id, BOB) is ALLOW
    assert await screened(database, booking.id, NOBODY) is ALLOW


async def test_what_is_older_than_the_window_counts_no_more(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.PAYMENTS, FraudSubject.USER, 1, seconds=600)
    assert [await screened(database, booking.id, ADA) for _ in range(2)] == [ALLOW, BLOCK]
    await pass_time(database, timedelta(minutes=11))
    assert await screened(database, booking.id, ADA) is ALLOW


async def test_declines_are_counted_when_a_bank_refused(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.DECLINES, FraudSubject.USER, 1)
    await declined(database, booking.id, ADA)
    assert await screened(database, booking.id, ADA) is ALLOW
    await declined(database, booking.id, ADA)
    assert await screened(database, booking.id, ADA) is BLOCK
    assert await screened(database, booking.id, BOB) is ALLOW


async def test_what_was_blocked_here_is_no_decline(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.DECLINES, FraudSubject.USER, 0)
    one = await payment(database, booking.id)
    async with database.transaction() as session:
        row = await session.get_one(Payment, one)
        await fraud.screen(session, row, ADA)
        await fraud.note_decline(session, row, fraud.BLOCKED, CARD)
    assert await screened(database, booking.id, ADA) is ALLOW


async def test_cards_that_one_account_pays_with(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.CARDS, FraudSubject.USER, 1)
    for _ in range(2):
        await declined(database, booking.id, ADA, CARD)
    assert await assessed(database, booking.id, ADA, OTHER_CARD) is ALLOW
    assert await screened(database, booking.id, ADA) is BLOCK


async def test_a_card_is_known_whoever_pays_with_it(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.DECLINES, FraudSubject.CARD, 1, REVIEW)
    for payer in (ADA, BOB):
        await declined(database, booking.id, payer, CARD)
    assert await assessed(database, booking.id, NOBODY, CARD) is REVIEW
    assert await assessed(database, booking.id, NOBODY, OTHER_CARD) is ALLOW


async def test_amounts_that_were_promised_and_this_one(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.AMOUNT, FraudSubject.CARD, 300_00, REVIEW)
    await declined(database, booking.id, ADA, CARD)
    verdicts = [await assessed(database, booking.id, ADA, CARD, amount=150_00) for _ in range(3)]
    assert verdicts == [ALLOW, ALLOW, REVIEW]


async def test_an_amount_in_another_currency_is_another_matter(database: Database, booking: Booking) -> None:
    await rule(database, FraudMeasure.AMOUNT, FraudSubject.PAYMENT, 300_00)
    one = await payment(database, booking.id, 400_00, "EUR")
    async with database.transaction() as session:
        assert await fraud.screen(session, await session.get_one(Payment, one), ADA) is ALLOW
    assert await screened(database, booking.id, ADA, 400_00) is BLOCK
