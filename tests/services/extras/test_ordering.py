"""Extras are chosen with a booking: priced, held with its hold, sold with it, and given back with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import DomainError
from models import Booking, BookingStatus, ExtraStatus, PassengerType
from services import bookings, extras, holds, invariants
from services.bookings import PassengerDetails
from services.extras import ExtraChoice, ExtraSoldOut
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot, traveller
from tests.factories.extras import (
    BAG,
    INSURANCE,
    MEAL,
    PRIORITY,
    STAFF,
    choice,
    defined,
    put_on_sale,
    stock,
)

ADULT, INFANT = PassengerType.ADULT, PassengerType.INFANT


@pytest.fixture(autouse=True)
async def on_sale(desk: Desk) -> None:
    """The catalogue, with two meals and four priority places on the first flight."""
    await put_on_sale(desk.database, desk.schedule)


def ada(desk: Desk, unit: str, *choices: ExtraChoice) -> PassengerDetails:
    """An adult in that seat, with extras."""
    return replace(traveller(desk.schedule, ADULT, "Lovelace", unit), extras=choices)


async def booked(desk: Desk, unit: str, *choices: ExtraChoice) -> Booking:
    """A booking of one adult that waits for its money."""
    command = desk.command(await desk.offer(), await desk.hold(unit), ada(desk, unit, *choices))
    return await desk.create(command)


async def paid(desk: Desk, gateways: Gateways, booking: Booking, method: str = "pm_card_visa") -> None:
    """Have it paid."""
    await bookings.pay(desk.database, gateways, booking.id, method, None, GUEST, key())


async def lines_of(database: Database, booking_id: UUID) -> list[tuple[str, int, bool]]:
    """Labels, amounts, and whether they are for a flight, of what is charged for extras."""
    async with database.reading() as session:
        found = (await bookings.lines_by_booking_ids(session, [booking_id]))[booking_id]
    return [(one.label, one.amount, one.slot_id is not None) for one in found if one.kind == "EXTRA"]


async def statuses(database: Database, booking_id: UUID) -> dict[str, str]:
    """What each extra of a booking is worth, by code."""
    async with database.reading() as session:
        people = (await bookings.passengers_by_booking_ids(session, [booking_id]))[booking_id]
        had = await extras.of_passengers(session, [one.id for one in people])
    return {one.code: str(one.status) for some in had.values() for one in some}


async def broken(database: Database) -> list[str]:
    """The invariants that do not hold."""
    return [one.name for one in await invariants.check(database) if one.broken]


async def cancelled(desk: Desk, gateways: Gateways, booking: Booking) -> None:
    """Have it cancelled as quoted."""
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())


async def test_they_are_priced_and_held_with_the_booking(desk: Desk) -> None:
    wanted = [choice(desk.schedule, BAG, 2), choice(desk.schedule, MEAL), choice(desk.schedule, INSURANCE)]
    without, with_ = await booked(desk, "3A"), await booked(desk, "3B", *wanted)
    assert await lines_of(desk.database, with_.id) == [
        ("2 × Checked bag, 23 kg, UA1", 70_00, True),
        ("1 × Vegan meal, UA1", 12_00, True),
        ("1 × Travel insurance", 19_00, False),
    ]
    assert with_.total - without.total == 101_00
    assert await stock(desk.database, desk.schedule, MEAL) == (1, 0)
    assert set((await statuses(desk.database, with_.id)).values()) == {"ORDERED"}
    assert (await facts_of(desk.database, f"booking:{with_.id}")).count("extra.ordered") == 3
    assert await broken(desk.database) == []


async def test_they_are_sold_with_it_and_have_numbers(desk: Desk, gateways: Gateways) -> None:
    booking = await booked(desk, "3A", choice(desk.schedule, MEAL), choice(desk.schedule, INSURANCE))
    await paid(desk, gateways, booking)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 1)
    async with desk.database.reading() as session:
        owned = await extras.owned_by(session, booking.id)
    assert {one.status for one in owned} == {ExtraStatus.ISSUED}
    assert sorted(one.number[:3] for one in owned if one.number) == ["016", "016"]
    assert await broken(desk.database) == []


async def test_they_go_back_when_nobody_pays(desk: Desk) -> None:
    booking = await booked(desk, "3A", choice(desk.schedule, MEAL, 1), choice(desk.schedule, PRIORITY))
    await pass_time(desk.database, timedelta(minutes=16))
    async with desk.database.transaction() as session:
        assert await bookings.expire_abandoned(session, 10) == 1
        assert await holds.expire_due(session, 10) == 1
    assert [await stock(desk.database, desk.schedule, code) for code in (MEAL, PRIORITY)] == [(0, 0), (0, 0)]
    assert await statuses(desk.database, booking.id) == {MEAL: "ORDERED", PRIORITY: "ORDERED"}
    assert await broken(desk.database) == []


async def test_an_expired_hold_keeps_no_meal_from_the_next(desk: Desk) -> None:
    await put_on_sale(desk.database, desk.schedule, meals=1)
    await booked(desk, "3A", choice(desk.schedule, MEAL))
    await pass_time(desk.database, timedelta(minutes=16))
    booking = await booked(desk, "3B", choice(desk.schedule, MEAL))
    assert booking.status is BookingStatus.SEATS_LOCKED
    assert await stock(desk.database, desk.schedule, MEAL) == (1, 0)


async def test_they_go_back_when_an_unpaid_booking_is_given_up(desk: Desk, gateways: Gateways) -> None:
    booking = await booked(desk, "3A", choice(desk.schedule, MEAL))
    await cancelled(desk, gateways, booking)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 0)
    assert await broken(desk.database) == []


async def test_a_decline_keeps_them_and_the_next_card_buys_them(desk: Desk, gateways: Gateways) -> None:
    booking = await booked(desk, "3A", choice(desk.schedule, MEAL))
    with pytest.raises(DomainError):
        await paid(desk, gateways, booking, "pm_card_visa_chargeDeclined")
    assert await stock(desk.database, desk.schedule, MEAL) == (1, 0)
    await paid(desk, gateways, booking)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 1)


async def test_they_go_back_with_a_cancelled_booking(desk: Desk, gateways: Gateways) -> None:
    booking = await booked(desk, "3A", choice(desk.schedule, MEAL), choice(desk.schedule, BAG))
    await paid(desk, gateways, booking)
    await cancelled(desk, gateways, booking)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 0)
    assert await statuses(desk.database, booking.id) == {MEAL: "REFUNDED", BAG: "REFUNDED"}
    assert await broken(desk.database) == []


def bad(desk: Desk) -> dict[str, tuple[list[ExtraChoice], str, str | None]]:
    """What cannot be had, the code of the refusal, and the field that it names."""
    here, there, meal = desk.schedule.first, desk.schedule.second, choice(desk.schedule, MEAL)
    path = "passengers.0.extras.0"
    return {
        "unknown": ([ExtraChoice(code="SOFA", slot_id=here, quantity=1)], "UNKNOWN_EXTRA", f"{path}.code"),
        "no such flight": ([ExtraChoice(code=BAG, slot_id=there, quantity=1)], "INVALID_INPUT", f"{path}.flightId"),
        "a flight for a journey": (
            [ExtraChoice(code=INSURANCE, slot_id=here, quantity=1)],
            "INVALID_INPUT",
            f"{path}.flightId",
        ),
        "no flight": ([ExtraChoice(code=BAG, slot_id=None, quantity=1)], "INVALID_INPUT", f"{path}.flightId"),
        "nothing of it": ([choice(desk.schedule, BAG, 0)], "INVALID_INPUT", f"{path}.quantity"),
        "more than one can have": ([choice(desk.schedule, BAG, 4)], "TOO_MANY_EXTRAS", f"{path}.quantity"),
        "twice": ([meal, meal], "TOO_MANY_EXTRAS", "passengers.0.extras.1.quantity"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "unknown",
        "no such flight",
        "a flight for a journey",
        "no flight",
        "nothing of it",
        "more than one can have",
        "twice",
    ],
)
async def test_what_cannot_be_had_is_refused_and_changes_nothing(desk: Desk, what: str) -> None:
    choices, code, field = bad(desk)[what]
    offer, hold_id = await desk.offer(), await desk.hold("3A")
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await desk.create(desk.command(offer, hold_id, ada(desk, "3A", *choices)))
    assert (refusal.value.code, getattr(refusal.value, "field", None)) == (code, field)
    assert await snapshot(desk.database) == before


async def set_up(desk: Desk, what: str) -> None:
    """Have the meal not to be had."""
    async with desk.database.transaction() as session:
        match what:
            case "retired":
                await extras.retire(session, "UA", MEAL, STAFF)
            case "without a price":
                await extras.price(session, "UA", MEAL, "USD", None, STAFF)
            case "in another currency":
                await extras.price(session, "UA", MEAL, "USD", None, STAFF)
                await extras.price(session, "UA", MEAL, "EUR", 11_00, STAFF)
            case "not on this flight":
                await session.execute(text("DELETE FROM pools WHERE code = 'extra:MEAL-VGML'"))
            case "too late":
                await extras.define(session, defined(MEAL, closes_hours=720), STAFF)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("retired", "EXTRA_NOT_OFFERED"),
        ("without a price", "EXTRA_NOT_OFFERED"),
        ("in another currency", "EXTRA_NOT_OFFERED"),
        ("not on this flight", "EXTRA_NOT_OFFERED"),
        ("too late", "EXTRA_CLOSED"),
    ],
)
async def test_what_is_not_sold_is_refused_and_changes_nothing(desk: Desk, what: str, code: str) -> None:
    await set_up(desk, what)
    offer, hold_id = await desk.offer(), await desk.hold("3A")
    before = await snapshot(desk.database)
    with pytest.raises(DomainError) as refusal:
        await desk.create(desk.command(offer, hold_id, ada(desk, "3A", choice(desk.schedule, MEAL))))
    assert refusal.value.code == code
    assert await snapshot(desk.database) == before


async def test_what_is_sold_out_is_refused_and_tells_what_is_left(desk: Desk) -> None:
    offer, hold_id = await desk.offer(adults=3), await desk.hold("3A", "3B", "3C")
    before = await snapshot(desk.database)
    party = [ada(desk, unit, choice(desk.schedule, MEAL)) for unit in ("3A", "3B", "3C")]
    with pytest.raises(ExtraSoldOut) as refusal:
        await desk.create(desk.command(offer, hold_id, *party))
    told: Any = refusal.value
    assert (told.slot_id, told.extra, told.left) == (desk.schedule.first, MEAL, 2)
    assert await snapshot(desk.database) == before


async def test_infants_have_what_is_sold_for_infants_alone(desk: Desk) -> None:
    baby = traveller(desk.schedule, INFANT, "Lovelace")
    offer, hold_id = await desk.offer(infants=1), await desk.hold("3A")
    hungry = replace(baby, extras=(choice(desk.schedule, MEAL),))
    with pytest.raises(DomainError) as refusal:
        await desk.create(desk.command(offer, hold_id, ada(desk, "3A"), hungry))
    assert (refusal.value.code, refusal.value.args) == (
        "EXTRA_NOT_FOR_INFANTS",
        ("Vegan meal is not sold for infants.",),
    )
    insured = replace(baby, extras=(choice(desk.schedule, INSURANCE),))
    booking = await desk.create(desk.command(offer, hold_id, ada(desk, "3A"), insured))
    assert await statuses(desk.database, booking.id) == {INSURANCE: "ORDERED"}


async def test_the_same_request_again_holds_nothing_more(desk: Desk) -> None:
    command = desk.command(await desk.offer(), await desk.hold("3A"), ada(desk, "3A", choice(desk.schedule, MEAL)))
    first, again = await desk.create(command), await desk.create(command)
    assert first.id == again.id
    assert await stock(desk.database, desk.schedule, MEAL) == (1, 0)
