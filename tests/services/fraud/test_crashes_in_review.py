"""Killed at any point, a payment in doubt ends as it would have, once: refused, looked at, approved, rejected, or late.

The journeys are those of `tests/services/bookings/test_crashes.py`, which also says what is compared in the end.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select

from core.db import Database
from models import Booking, FraudMeasure, FraudSubject, Payment
from services import bookings
from services.transitions import Cause
from tests.factories.bookings import pass_time
from tests.factories.fraud import rule
from tests.fakes.mortal import Life, deaths, walk
from tests.services.bookings.test_crashes import SOLD, End, Journey, Stage, end_of, stage

__all__ = ["stage"]

DOUBTFUL = "pm_card_riskLevelElevated"
STAFF = Cause(actor="user:7", reason="known to us")


async def payment_of(database: Database) -> UUID:
    """The only payment there is."""
    async with database.reading() as session:
        return (await session.execute(select(Payment.id))).scalar_one()


async def in_doubt(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    return await stage.pay(booking, DOUBTFUL, dies_at)


async def approved(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, DOUBTFUL)
    await bookings.approve(stage.database, await payment_of(stage.database), STAFF)
    return await stage.advance(booking, dies_at)


async def rejected(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, DOUBTFUL)
    await bookings.reject(stage.database, await payment_of(stage.database), STAFF)
    return await stage.advance(booking, dies_at)


async def undecided(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, DOUBTFUL)
    await pass_time(stage.database, timedelta(minutes=41))
    return await stage.advance(booking, dies_at)


async def promised_too_late_to_look(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await stage.pay(booking, DOUBTFUL, 2)
    await pass_time(stage.database, timedelta(minutes=16))
    return await stage.advance(booking, dies_at)


async def blocked_by_its_score(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await rule(stage.database, FraudMeasure.SCORE, FraudSubject.PAYMENT, 66)
    return await stage.pay(booking, DOUBTFUL, dies_at)


async def blocked_before_it_began(stage: Stage, booking: Booking, dies_at: int | None) -> Life:
    await rule(stage.database, FraudMeasure.AMOUNT, FraudSubject.PAYMENT, 1)
    return await stage.pay(booking, "pm_card_visa", dies_at)


LOOKED_AT = End("PAYMENT_PENDING", "REVIEW", "ACTIVE", (), ("requires_capture",), (1, 0))
OVER = ["look", "before void", "after void", "look"]
REFUSED = End("SEATS_LOCKED", "DECLINED", "ACTIVE", (), ("canceled",), (1, 0))
JOURNEYS: dict[Journey, tuple[list[str], End]] = {
    in_doubt: (["look", "before authorise", "after authorise", "before hold_back", "look"], LOOKED_AT),
    approved: (["look", "look", "before capture", "after capture"], SOLD),
    rejected: (OVER, End("FAILED", "VOIDED", "RELEASED", (), ("canceled",), (0, 0))),
    undecided: (OVER, End("EXPIRED", "VOIDED", "EXPIRED", (), ("canceled",), (0, 0))),
    promised_too_late_to_look: (
        ["look", "before find", "after find", "before void", "after void", "look"],
        End("EXPIRED", "VOIDED", "EXPIRED", (), ("canceled",), (0, 0)),
    ),
    blocked_by_its_score: (
        ["look", "before authorise", "after authorise", "before void", "after void", "look"],
        REFUSED,
    ),
    blocked_before_it_began: (["look"], End("SEATS_LOCKED", "DECLINED", "ACTIVE", (), (), (1, 0))),
}
"""Each journey with every point at which it can die, and its end."""


@pytest.mark.parametrize(("journey", "dies_at"), deaths(JOURNEYS))
async def test_killed_at_any_point_it_ends_the_same(stage: Stage, journey: Journey, dies_at: int | None) -> None:
    booking = await stage.desk.booked("3A")
    await walk(
        JOURNEYS[journey],
        dies_at,
        living=partial(journey, stage, booking),
        coming_next=partial(stage.advance, booking),
        standing=partial(end_of, stage, booking),
    )
