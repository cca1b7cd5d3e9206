"""The verdict on a payment: the worst of its rules, kept with their numbers, and the same however often it is asked."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from core.db import Database
from models import AssessedAt, Booking, FraudAssessment, FraudMeasure, FraudSignal, FraudSubject, FraudVerdict, Payment
from services import fraud
from services.fraud import NOBODY
from services.gateways import Risk
from tests.factories.fraud import ADA, BOB, KEYS, assessed, declined, payment, rule, screened

ALLOW, REVIEW, BLOCK = FraudVerdict


async def found(database: Database) -> list[tuple[str, str, list[str]]]:
    """What was written: when, the verdict, and the rules."""
    async with database.reading() as session:
        rows = await session.scalars(
            select(FraudAssessment).order_by(FraudAssessment.at, FraudAssessment.moment.desc())
        )
        return [(row.moment, row.verdict, [one["rule"] for one in row.findings]) for row in rows]


async def test_where_nothing_is_known_and_nothing_found_nothing_is_written(
    database: Database, booking: Booking
) -> None:
    assert await assessed(database, booking.id, NOBODY, Risk(score=20, level="normal", country="US")) is ALLOW
    assert await found(database) == []
    async with database.reading() as session:
        assert (await session.scalars(select(FraudSignal))).all() == []


@pytest.mark.parametrize(("score", "verdict"), [(None, ALLOW), (64, ALLOW), (65, REVIEW), (74, REVIEW), (75, BLOCK)])
async def test_the_gateways_score(
    database: Database, booking: Booking, score: int | None, verdict: FraudVerdict
) -> None:
    assert await assessed(database, booking.id, NOBODY, Risk(score=score)) is verdict


async def test_staff_see_which_rules_and_the_numbers(database: Database, booking: Booking) -> None:
    assert await assessed(database, booking.id, NOBODY, Risk(score=70, level="elevated", country="US")) is REVIEW
    async with database.reading() as session:
        row = (await session.scalars(select(FraudAssessment))).one()
    assert (row.moment, row.score, row.level, row.country) == (AssessedAt.ANSWER, 70, "elevated", "US")
    assert row.findings == [
        {
            "rule": "score_elevated",
            "measure": "SCORE",
            "subject": "PAYMENT",
            "seconds": None,
            "currency": None,
            "most": 64,
            "measured": 70,
            "verdict": "REVIEW",
        }
    ]


async def test_a_rule_that_allows_is_noted_and_no_more(database: Database, booking: Booking) -> None:
    assert await assessed(database, booking.id, NOBODY, Risk(country="PT")) is ALLOW
    assert await found(database) == [("ANSWER", "ALLOW", ["foreign_card"])]


async def test_what_was_found_before_the_gateway_was_asked_counts_when_it_has_answered(
    database: Database, booking: Booking
) -> None:
    assert await assessed(database, booking.id, NOBODY, amount=20_000_00) is REVIEW
    assert await found(database) == [("INTENT", "REVIEW", ["payment_amount_usd"]), ("ANSWER", "REVIEW", [])]


async def test_the_worst_rule_decides(database: Database, booking: Booking) -> None:
    risk = Risk(score=80, level="highest")
    assert await assessed(database, booking.id, NOBODY, risk, amount=20_000_00) is BLOCK
    assert (await found(database))[1] == ("ANSWER", "BLOCK", ["score_elevated", "score_highest"])


async def test_asked_again_after_the_rules_have_changed_it_is_what_it_was(database: Database, booking: Booking) -> None:
    one = await payment(database, booking.id)
    verdicts = []
    for most in (64, 90):
        await rule(database, FraudMeasure.SCORE, FraudSubject.PAYMENT, most, REVIEW)
        async with database.transaction() as session:
            verdicts.append(await fraud.assess(session, await session.get_one(Payment, one), Risk(score=70)))
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM fraud_rules WHERE name = 'score_elevated'"))
    assert verdicts == [REVIEW, REVIEW]
    assert len(await found(database)) == 1


async def test_an_office_of_forty_buys_and_nobody_is_stopped(database: Database, booking: Booking) -> None:
    for number in range(40):
        buyer = fraud.payer(KEYS, address="203.0.114.7", device=f"device {number}", email=f"{number}@office.aero")
        risk = Risk(score=30, card=number.to_bytes(16), country="US")
        if number % 4 == 0:
            await declined(database, booking.id, buyer, risk)
        assert await assessed(database, booking.id, buyer, risk, amount=1_200_00) is ALLOW
    assert await found(database) == []


async def test_somebody_who_tries_card_after_card_is_stopped(database: Database, booking: Booking) -> None:
    verdicts = []
    for number in range(12):
        verdicts.append(await screened(database, booking.id, ADA))
        await declined(database, booking.id, ADA, Risk(card=number.to_bytes(16)))
    assert verdicts.index(REVIEW) == 7
    assert verdicts.index(BLOCK) == 9
    assert await screened(database, booking.id, BOB) is ALLOW


async def test_whoever_claims_somebody_elses_mailbox_has_nothing_of_theirs_refused(
    database: Database, booking: Booking
) -> None:
    mailbox = "grace@hopper.navy"
    stranger = fraud.payer(KEYS, device="a burner", email=mailbox)
    for number in range(12):
        await declined(database, booking.id, stranger, Risk(card=number.to_bytes(16)))
    assert await assessed(database, booking.id, fraud.payer(KEYS, device="her own", email=mailbox)) is REVIEW
