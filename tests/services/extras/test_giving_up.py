"""What comes back of extras when a booking is cancelled, whole or in part: their own rule, whatever the fare says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core import clock
from models import Booking, CancellationQuote, CancellationRule, Passenger, PassengerType
from services import bookings, extras, invariants
from services.amendments import AddExtras, Wish
from services.extras import ExtraChoice
from services.gateways import Gateways
from tests.factories.amendments import CARD, Changes
from tests.factories.bookings import GUEST, Desk, key, pass_time, traveller
from tests.factories.extras import BAG, INSURANCE, MEAL, choice, put_on_sale, stock

ADULT = PassengerType.ADULT
FEE = 25_00


@pytest.fixture
def days_ahead() -> int:
    """Five: too soon for the 24-hour rule."""
    return 5


async def paid(desk: Desk, gateways: Gateways, family: str, *choices: tuple[ExtraChoice, ...]) -> Booking:
    """A confirmed booking of as many adults, each with those extras."""
    await put_on_sale(desk.database, desk.schedule, meals=4)
    units = ("3A", "3B")[: len(choices)]
    party = [
        replace(traveller(desk.schedule, ADULT, "Ng", unit), extras=some)
        for unit, some in zip(units, choices, strict=True)
    ]
    offer, hold_id = await desk.offer(family, adults=len(units)), await desk.hold(*units)
    booking = await desk.create(desk.command(offer, hold_id, *party))
    await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    return booking


async def cancelled(desk: Desk, gateways: Gateways, booking: Booking, *passengers: Passenger) -> CancellationQuote:
    """Have it cancelled as quoted, for all or for those alone."""
    leaving = [one.id for one in passengers] or None
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, booking, leaving)
    await bookings.cancel(desk.database, gateways, quote.id, booking.id, GUEST, key())
    assert [one.name for one in await invariants.check(desk.database) if one.broken] == []
    return quote


async def people_of(desk: Desk, booking: Booking) -> list[Passenger]:
    async with desk.database.reading() as session:
        return (await bookings.passengers_by_booking_ids(session, [booking.id]))[booking.id]


async def worth(desk: Desk, people: list[Passenger]) -> list[dict[str, str]]:
    """What each passenger's extras are worth, by code."""
    async with desk.database.reading() as session:
        had = await extras.of_passengers(session, [one.id for one in people])
    return [{one.code: str(one.status) for one in had[person.id]} for person in people]


async def test_refundable_extras_come_back_whole_and_others_do_not(desk: Desk, gateways: Gateways) -> None:
    wanted = tuple(choice(desk.schedule, code) for code in (MEAL, BAG, INSURANCE))
    booking = await paid(desk, gateways, "FLEX", wanted)
    quote = await cancelled(desk, gateways, booking)
    assert (quote.refund, quote.fee) == (booking.total - FEE - 19_00, FEE + 19_00)
    (had,) = await worth(desk, await people_of(desk, booking))
    assert had == {MEAL: "REFUNDED", BAG: "REFUNDED", INSURANCE: "VOID"}
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 0)


async def test_the_timeline_tells_of_them(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "FLEX", (choice(desk.schedule, MEAL),))
    await cancelled(desk, gateways, booking)
    async with desk.database.reading() as session:
        entries = await bookings.timeline(session, booking)
    assert [(one.came_from, one.to) for one in entries if one.subject == "EXTRA"] == [
        (None, "ORDERED"),
        ("ORDERED", "ISSUED"),
        ("ISSUED", "REFUNDED"),
    ]


async def test_they_come_back_though_the_fare_does_not(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "MAIN", (choice(desk.schedule, MEAL), choice(desk.schedule, INSURANCE)))
    quote = await cancelled(desk, gateways, booking)
    assert quote.refund == 12_00


async def test_nor_do_they_shortly_before_departure(desk: Desk, gateways: Gateways) -> None:
    booking = await paid(desk, gateways, "MAIN", (choice(desk.schedule, MEAL),))
    await pass_time(desk.database, desk.schedule.departs_at - clock.now() - timedelta(hours=11))
    quote = await cancelled(desk, gateways, booking)
    assert (quote.rule, quote.refund, quote.fee) == (CancellationRule.TOO_LATE, 0, booking.total)
    assert await worth(desk, await people_of(desk, booking)) == [{MEAL: "VOID"}]


async def test_who_leaves_takes_theirs_and_the_fee_is_asked_once(desk: Desk, gateways: Gateways) -> None:
    mine = (choice(desk.schedule, MEAL), choice(desk.schedule, INSURANCE))
    booking = await paid(desk, gateways, "FLEX", mine, mine)
    ada, bob = await people_of(desk, booking)
    first = await cancelled(desk, gateways, booking, bob)
    assert (first.refund, first.fee) == (booking.total // 2 - FEE - 19_00, FEE + 19_00)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 1)
    assert await worth(desk, [ada, bob]) == [
        {MEAL: "ISSUED", INSURANCE: "ISSUED"},
        {MEAL: "REFUNDED", INSURANCE: "VOID"},
    ]
    rest = await cancelled(desk, gateways, booking)
    assert (rest.refund, rest.fee) == (booking.total // 2 - 19_00, 19_00)
    assert await stock(desk.database, desk.schedule, MEAL) == (0, 0)


async def test_what_lapsed_takes_nothing_of_what_another_has(desk: Desk, gateways: Gateways) -> None:
    """Ada's bag lapsed when the flight was changed, and back; whoever buys one then has all of its price back."""
    await put_on_sale(desk.database, desk.schedule)
    changes, bag = Changes(desk, gateways), choice(desk.schedule, BAG)
    booking = await changes.paid("3A", "3B")
    ada, bob = await changes.people(booking)

    async def change(wish: Wish) -> None:
        quote = await changes.quote(await changes.booking(booking.id), wish)
        await changes.confirm(quote, CARD if quote.due > 0 else None)

    await change(AddExtras(choices=((ada.id, bag),)))
    for slot_id in (desk.schedule.second, desk.schedule.first):
        await change(await changes.flight(booking, "3A", "3B", slot_id=slot_id))
    await change(AddExtras(choices=((bob.id, bag),)))
    quote = await cancelled(desk, gateways, await changes.booking(booking.id), bob)
    assert (quote.extras, quote.refund) == (35_00, 199_10 + 35_00 - FEE)
