"""What a cancelled booking gives back, on both sides of every border."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.money import Money
from models import CancellationRule
from services.bookings.terms import Case, returned_of_extras, terms

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FLEX = Case(
    paid=Money(201_01, "USD"),
    fee=Money(25_00, "USD"),
    refundable=True,
    in_us=True,
    flight_cancelled=False,
    booked_at=NOW - timedelta(days=30),
    departs_at=NOW + timedelta(days=5),
    moment=NOW,
)
MAIN = replace(FLEX, refundable=False)
FRESH = replace(MAIN, booked_at=NOW - 24 * HOUR, departs_at=NOW + timedelta(days=6))


@pytest.mark.parametrize(
    ("case", "refund"),
    [
        (FLEX, 176_01),
        (MAIN, 0),
        (replace(FLEX, fee=Money(300_00, "USD")), 0),
        (replace(FLEX, departs_at=NOW + 24 * HOUR + SECOND), 176_01),
        (replace(FLEX, departs_at=NOW + 24 * HOUR), 100_51),
        (replace(FLEX, departs_at=NOW + 12 * HOUR), 100_51),
        (replace(FLEX, departs_at=NOW + 12 * HOUR - SECOND), 0),
        (FRESH, 201_01),
        (replace(FRESH, booked_at=NOW - 24 * HOUR - SECOND), 0),
        (replace(FRESH, departs_at=NOW + timedelta(days=6) - SECOND), 0),
        (replace(FRESH, in_us=False), 0),
        (replace(MAIN, flight_cancelled=True, departs_at=NOW - HOUR), 201_01),
    ],
)
def test_refund(case: Case, refund: int) -> None:
    assert terms(case).refund == Money(refund, "USD")


@pytest.mark.parametrize(
    ("left", "rule", "extras"),
    [
        (12 * HOUR, CancellationRule.NOT_REFUNDABLE, 20_00),
        (12 * HOUR - SECOND, CancellationRule.TOO_LATE, 0),
    ],
)
def test_when_it_is_too_late_it_is_so_for_extras_too_whatever_the_fare_says(
    left: timedelta, rule: CancellationRule, extras: int
) -> None:
    answer = terms(replace(MAIN, departs_at=NOW + left))
    assert (answer.rule, answer.refund) == (rule, Money(0, "USD"))
    assert returned_of_extras(rule, Money(32_00, "USD"), Money(12_00, "USD")) == Money(extras, "USD")
