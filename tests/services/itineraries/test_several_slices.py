"""Round trips and longer journeys: the best of all that fit together, and never one that cannot be flown."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest

from core.db import Database
from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from core.paging import paginate
from models import Cabin
from resolvers.itineraries import SHAPE
from services import itineraries, offers
from services.fares import Party
from services.itineraries import (
    Candidate,
    FlightSearchInput,
    Found,
    OfferSort,
    PassengersInput,
    SliceInput,
    combining,
    searching,
)
from tests.factories.returns import write_fares, write_flight
from tests.factories.schedules import Schedule

HOUR = timedelta(hours=1)


def asked(*slices: tuple[str, str, date], **changes: Any) -> FlightSearchInput:
    """A search along those slices for one adult, with `changes`."""
    along = [SliceInput(origin=origin, destination=destination, date=day) for origin, destination, day in slices]
    return dataclasses.replace(FlightSearchInput(slices=along, passengers=PassengersInput(adults=1)), **changes)


def there_and_back(schedule: Schedule, days: int = 0, **changes: Any) -> FlightSearchInput:
    """From JFK to LAX, and back so many days later."""
    back = schedule.day + timedelta(days=days)
    return asked(("JFK", "LAX", schedule.day), ("LAX", "JFK", back), **changes)


async def search(database: Database, command: FlightSearchInput) -> list[Found]:
    return list(await itineraries.search(database.reader(), command))


def said(found: list[Found], keyring: Keyring) -> list[tuple[str, str, int]]:
    """Flights, family and total of each offer, in order."""
    shown = [one.offered(keyring, offers.expiry()) for one in found]
    return [
        (
            "+".join(segment.flight.designator for slice_ in one.slices for segment in slice_.segments),
            one.fare_family.code,
            one.total.minor_units,
        )
        for one in shown
    ]


async def test_a_round_trip_is_every_way_there_with_every_way_back(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    """FIRST is not sold on the way back: its fare is missing, and so is the cabin."""
    await write_fares(database, schedule, MAIN=90_00, FLEX=170_00)
    for number, hours in ((11, 24 * 7), (12, 24 * 7 + 3)):
        await write_flight(database, schedule, number, schedule.departs_at + hours * HOUR)
    found = await search(database, there_and_back(schedule, 7))
    main, flex = 113_10 + 102_35, 199_10 + 188_35
    assert said(found, keyring) == [
        *((f"UA{there}+UA{back}", "MAIN", main) for there, back in product((1, 2), (11, 12))),
        *((f"UA{there}+UA{back}", "FLEX", flex) for there, back in product((1, 2), (11, 12))),
    ]
    assert await search(database, there_and_back(schedule, 7, cabin=Cabin.FIRST)) == []


async def test_an_offer_of_two_slices_is_one_price_with_the_lines_of_both(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    await write_fares(database, schedule, MAIN=90_00)
    back = await write_flight(database, schedule, 11, schedule.departs_at + 48 * HOUR, seats=3)
    (one, _) = await search(database, there_and_back(schedule, 2))
    shown = one.offered(keyring, offers.expiry())
    assert [(slice_.origin.iata_code, slice_.destination.iata_code) for slice_ in shown.slices] == [
        ("JFK", "LAX"),
        ("LAX", "JFK"),
    ]
    assert [line.amount.minor_units for line in shown.lines] == [100_00, 7_50, 5_60, 90_00, 6_75, 5_60]
    assert (shown.total, shown.seats_left) == (Money(215_45, "USD"), 3)
    read = offers.read(keyring, shown.id)
    assert [segment.slot_id for segment in read.segments] == [schedule.first, back]
    assert [charged.slot_id for charged in offers.by_flight(read)] == [schedule.first] * 3 + [back] * 3
    assert (read.total, read.lines) == (shown.total, shown.lines)


async def test_the_next_slice_leaves_an_hour_after_the_last_has_arrived(
    database: Database, schedule: Schedule, keyring: Keyring
) -> None:
    """UA1 arrives six hours after it left, UA2 eight hours later."""
    await write_fares(database, schedule, MAIN=90_00)
    await write_flight(database, schedule, 11, schedule.departs_at + 7 * HOUR - timedelta(seconds=1))
    await write_flight(database, schedule, 12, schedule.departs_at + 7 * HOUR)
    assert [flights for flights, *_ in said(await search(database, there_and_back(schedule)), keyring)] == ["UA1+UA12"]


async def test_pages_leave_nothing_out(database: Database, schedule: Schedule) -> None:
    await write_fares(database, schedule, MAIN=90_00, FLEX=90_00)
    for number in range(11, 15):
        await write_flight(database, schedule, number, schedule.departs_at + 48 * HOUR)
    found = await search(database, there_and_back(schedule, 2))
    seen: list[Found] = []
    after, more = None, True
    while more:
        page = paginate(found, lambda one: one.rank, 3, after, SHAPE)
        seen += [edge.node for edge in page.edges]
        after, more = page.page_info.end_cursor, page.page_info.has_next_page
    assert (len(found), seen) == (16, found)


@pytest.mark.parametrize("sort", OfferSort)
@pytest.mark.parametrize("seed", range(5))
def test_the_best_are_those_of_all_that_there_are(sort: OfferSort, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against brute force, over three slices of which many do not fit together."""
    monkeypatch.setattr(combining, "MOST", 10)
    chance = random.Random(seed)
    slices = [[candidate(chance, 100 * place + index, sort) for index in range(8)] for place in range(3)]
    every = [
        combining.Combination(
            {
                OfferSort.PRICE: sum(combining.price(one.quote) for one in parts),
                OfferSort.DURATION: sum(one.measure for one in parts),
                OfferSort.DEPARTURE: parts[0].measure,
                OfferSort.ARRIVAL: parts[-1].measure,
            }[sort],
            sum(combining.price(one.quote) for one in parts),
            parts,
        )
        for parts in product(*slices)
        if all(early.arrives_at + HOUR <= late.departs_at for early, late in pairwise(parts))
    ]
    assert 10 < len(every) < 8**3
    assert combining.combined(slices, sort) == sorted(every, key=lambda one: one.order)[:10]


def candidate(chance: random.Random, slot_id: int, sort: OfferSort) -> Candidate:
    """A flight within three days, at any price."""
    departs_at = datetime.fromisoformat("2026-12-01T00:00Z") + slot_id // 100 * 12 * HOUR + chance.randrange(24) * HOUR
    arrives_at = departs_at + chance.randrange(1, 12) * HOUR
    amount = Money(chance.randrange(50_00, 60_00), "USD")
    family: Any = None
    quote = offers.Quote(family, (), amount, offers.written(()))
    measure = searching.measure(sort, departs_at, arrives_at, quote)
    flown = ((slot_id, departs_at, arrives_at), (), ())
    return Candidate(measure, slot_id, "MAIN", flown, quote, Party(adults=1, children=0, infants=0), 9)


async def test_what_cannot_be_meant_names_its_slice(database: Database, schedule: Schedule) -> None:
    day = schedule.day
    there = ("JFK", "LAX", day)
    for slices, field, code in (
        ((), "slices", "INVALID_INPUT"),
        ((there,) * 7, "slices", "INVALID_INPUT"),
        ((there, ("LAX", "JFK", day - timedelta(days=1))), "slices.1.date", "INVALID_INPUT"),
        ((there, ("LAX", "XXX", day)), "slices.1.destination", "UNKNOWN_AIRPORT"),
        ((there, ("LAX", "JFK", day + timedelta(days=1))), "slices.1.date", "BEYOND_SCHEDULE"),
    ):
        with pytest.raises(Invalid) as refusal:
            await search(database, asked(*slices))
        assert (refusal.value.field, refusal.value.code) == (field, code)
    for slices in ((), (there, there)):
        with pytest.raises(Invalid) as refusal:
            await itineraries.slots_of(database.reader(), asked(*slices))
        assert refusal.value.field == "slices"
