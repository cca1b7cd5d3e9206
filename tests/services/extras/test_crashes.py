"""Killed at any point, a booking with a meal ends with the meal sold, or given back: once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text

from models import Booking, PassengerType
from services import amendments, bookings, extras, invariants
from services.amendments import AddExtras, GiveUpExtras
from services.gateways import Gateways
from services.transitions import Cause
from tests.factories.bookings import GUEST, Desk, key, traveller
from tests.factories.extras import MEAL, PRICES, choice, put_on_sale, stock
from tests.factories.records import record
from tests.fakes.mortal import Died, Life, deaths
from tests.fakes.sandbox import Sandbox
from tests.services.bookings.test_crashes import (
    JOURNEYS,
    Journey,
    Stage,
    authorisation_lapsed,
    cancelled,
    good_card,
    late_and_written_down,
    late_but_seats_are_free,
)

ENDS: dict[Journey, tuple[tuple[int, int], str]] = {
    good_card: ((0, 1), "ISSUED"),
    authorisation_lapsed: ((0, 0), "VOID"),
    cancelled: ((0, 0), "REFUNDED"),
}
POINTS_OF_A_PAYMENT = 8
POINTS_OF_A_REFUND = ["look", "before refund", "after refund"]


@pytest.fixture
async def stage(desk: Desk, gateways: Gateways, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Where a journey plays, with two meals on the first flight."""
    await put_on_sale(desk.database, desk.schedule)
    return Stage(desk, gateways, sandbox, monkeypatch)


async def with_a_meal(stage: Stage) -> Booking:
    """A booking that waits for its money."""
    desk = stage.desk
    hungry = replace(
        traveller(desk.schedule, PassengerType.ADULT, "Lovelace", "3A"), extras=(choice(desk.schedule, MEAL),)
    )
    return await desk.create(desk.command(await desk.offer(), await desk.hold("3A"), hungry))


async def assert_whole(stage: Stage, booking: Booking) -> None:
    """Every invariant holds, and the extras are what the facts say."""
    assert [one for one in await invariants.check(stage.database) if one.broken] == []
    async with stage.database.reading() as session:
        rebuilt = await record(session, booking.id)
        rows = await session.execute(text("SELECT CAST(id AS text), status, number FROM booking_extras ORDER BY id"))
        assert [(id_, one["status"], one["number"]) for id_, one in rebuilt.extras.items()] == [*map(tuple, rows)]


@pytest.mark.parametrize(("journey", "dies_at"), deaths({journey: JOURNEYS[journey] for journey in ENDS}))
async def test_killed_at_any_point_the_meal_is_sold_or_given_back(
    stage: Stage, journey: Journey, dies_at: int | None
) -> None:
    counted, status = ENDS[journey]
    booking = await with_a_meal(stage)
    await journey(stage, booking, dies_at)
    await stage.advance(booking)
    assert await stock(stage.database, stage.desk.schedule, MEAL) == counted
    async with stage.database.reading() as session:
        rows = await session.scalars(text("SELECT status FROM booking_extras"))
        assert list(rows) == [status]
    await assert_whole(stage, booking)


@pytest.mark.parametrize("journey", [late_but_seats_are_free, late_and_written_down], ids=lambda one: one.__name__)
async def test_money_that_comes_late_finds_the_meal_again(stage: Stage, journey: Journey) -> None:
    booking = await with_a_meal(stage)
    await journey(stage, booking, None)
    await stage.advance(booking)
    assert await stock(stage.database, stage.desk.schedule, MEAL) == (0, 1)
    await assert_whole(stage, booking)


async def added(stage: Stage, booking: Booking, dies_at: int | None) -> None:
    """Have a confirmed booking's passenger get a meal, and die on the way."""
    async with stage.database.transaction() as session:
        people = (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]
        wish = AddExtras(choices=((people[0].id, choice(stage.desk.schedule, MEAL)),))
        asked = Cause(actor=GUEST.key, reason="asked")
        quote = await amendments.quote(session, stage.desk.keyring, booking, wish, asked)
    with stage.monkeypatch.context() as patch, suppress(Died):
        gateways = Life(dies_at).lead(patch, stage.gateways)
        await amendments.confirm(
            stage.database, gateways, quote.id, booking.id, "pm_card_visa", "https://shop.example", GUEST, key()
        )


@pytest.mark.parametrize("dies_at", range(POINTS_OF_A_PAYMENT))
async def test_killed_at_any_point_an_added_meal_is_theirs_once(stage: Stage, dies_at: int) -> None:
    booking = await stage.desk.booked("3A")
    await stage.pay(booking, "pm_card_visa")
    await added(stage, booking, dies_at)
    await stage.advance(booking)
    assert await stock(stage.database, stage.desk.schedule, MEAL) == (0, 1)
    async with stage.database.reading() as session:
        assert [str(one.status) for one in await extras.owned_by(session, booking.id)] == ["ISSUED"]
    await assert_whole(stage, booking)


async def given_up(stage: Stage, booking: Booking, dies_at: int | None) -> list[str]:
    """Have a confirmed booking's passenger give their meal up, and die on the way; the points that were passed."""
    async with stage.database.transaction() as session:
        (meal,) = await extras.owned_by(session, booking.id)
        asked = Cause(actor=GUEST.key, reason="asked")
        wish = GiveUpExtras(ids=(meal.id,))
        quote = await amendments.quote(session, stage.desk.keyring, booking, wish, asked)
    life = Life(dies_at)
    with stage.monkeypatch.context() as patch, suppress(Died):
        gateways = life.lead(patch, stage.gateways)
        await amendments.confirm(stage.database, gateways, quote.id, booking.id, None, None, GUEST, key())
    return life.passed


@pytest.mark.parametrize("dies_at", [*range(len(POINTS_OF_A_REFUND)), None])
async def test_killed_at_any_point_a_meal_that_is_given_up_is_paid_back_once(stage: Stage, dies_at: int | None) -> None:
    booking = await with_a_meal(stage)
    await stage.pay(booking, "pm_card_visa")
    assert await given_up(stage, booking, dies_at) == POINTS_OF_A_REFUND[:dies_at]
    for _ in range(2):
        await stage.advance(booking)
        assert await stock(stage.database, stage.desk.schedule, MEAL) == (0, 0)
        (intent,) = await stage.sandbox.intents(booking.id)
        page = await stage.sandbox.ask("GET", f"/v1/refunds?payment_intent={intent['id']}")
        assert [one["amount"] for one in page["data"]] == [PRICES[MEAL]]
        async with stage.database.reading() as session:
            assert [*await session.scalars(text("SELECT status FROM booking_extras"))] == ["REFUNDED"]
            assert [*await session.scalars(text("SELECT status FROM refunds"))] == ["SUCCEEDED"]
            assert (await session.get_one(Booking, booking.id)).status == "CONFIRMED"
        await assert_whole(stage, booking)
