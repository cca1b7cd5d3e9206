"""Another seat on the same flight, and a name as it should be."""

from __future__ import annotations

import pytest

from core.errors import Conflict, DomainError
from models import AmendmentStatus, PassengerTitle
from services import bookings
from services.amendments import ChangeSeats, CorrectName, SeatWish
from tests.factories.amendments import CARD, Changes
from tests.factories.bookings import GUEST, key, snapshot
from tests.factories.holds import pools, seats

FLEX = 199_10


async def test_a_seat_with_legroom_is_paid_for(changes: Changes) -> None:
    booking, schedule = await changes.paid("3A", "3B"), changes.desk.schedule
    quote = await changes.quote(booking, await changes.seat(booking, "2A"))
    assert (quote.difference, quote.penalty, quote.due) == (39_00, 0, 39_00)
    assert quote.change["told"] == [["seat of Ada Lovelace on UA1", "3A", "2A"]]
    assert (await changes.confirm(quote)).status is AmendmentStatus.APPLIED
    assert await seats(changes.desk.database, schedule.first) == {"3A": "AVAILABLE", "3B": "BOOKED", "2A": "BOOKED"}
    assert await pools(changes.desk.database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
    assert await changes.rows("SELECT class_sold FROM pools WHERE code = 'ECONOMY' ORDER BY slot_id") == [
        ([2, 0],),
        ([0, 0],),
    ]
    assert await changes.rows("SELECT DISTINCT status FROM tickets") == [("OPEN",)]
    assert (await changes.booking(booking.id)).total == 2 * FLEX + 39_00
    assert await changes.faults() == []


async def test_a_plain_seat_gives_its_price_back(changes: Changes) -> None:
    booking = await changes.paid("2A")
    quote = await changes.quote(booking, await changes.seat(booking, "3A"))
    assert (quote.difference, quote.penalty, quote.due) == (-39_00, 0, -39_00)
    await changes.confirm(quote, method=None)
    assert (await changes.booking(booking.id)).total == FLEX
    assert await changes.rows("SELECT status, amount FROM refunds") == [("SUCCEEDED", 39_00)]
    assert await changes.faults() == []


async def test_a_seat_that_somebody_left_gives_its_price_back_once(changes: Changes) -> None:
    """One passenger leaves the booking and their seat, another moves there, and away again."""
    booking, database = await changes.paid("2A", "3B"), changes.desk.database
    ada, charles = await changes.people(booking)
    async with database.transaction() as session:
        part = await bookings.quote_cancellation(session, booking, [ada.id])
    await bookings.cancel(database, changes.gateways, part.id, booking.id, GUEST, key())
    for unit, due in (("2A", 39_00), ("3B", -39_00)):
        seat = SeatWish(passenger_id=charles.id, slot_id=changes.desk.schedule.first, unit=unit)
        wish = ChangeSeats(hold_id=await changes.desk.hold(unit), seats=(seat,))
        quote = await changes.quote(await changes.booking(booking.id), wish)
        assert (quote.difference, quote.due) == (due, due)
        await changes.confirm(quote, method=CARD if due > 0 else None)
        assert await changes.faults() == []
    assert (await changes.booking(booking.id)).total == FLEX


async def test_seats_that_cannot_be_had_change_nothing(changes: Changes) -> None:
    booking, schedule = await changes.paid("3A", "3B"), changes.desk.schedule
    ada, charles = await changes.people(booking)
    hold_id = await changes.desk.hold("2A", "2B")

    def wish(*seats: tuple[object, str | None]) -> ChangeSeats:
        chosen = tuple(SeatWish(passenger_id=who.id, slot_id=schedule.first, unit=unit) for who, unit in seats)  # type: ignore[attr-defined]
        return ChangeSeats(hold_id=hold_id, seats=chosen)

    first_class = await changes.desk.hold("1A")
    refused = {
        "PASSENGERS_DO_NOT_MATCH": wish((ada, "2A")),
        "SEAT_NOT_HELD": wish((ada, "2A"), (charles, "2C")),
        "SEAT_GIVEN_TWICE": wish((ada, "2A"), (charles, "2A")),
        "INVALID_INPUT": wish((ada, "3A"), (charles, "2A")),
        "WRONG_CABIN": ChangeSeats(
            hold_id=first_class, seats=(SeatWish(passenger_id=ada.id, slot_id=schedule.first, unit="1A"),)
        ),
    }
    before = await snapshot(changes.desk.database)
    for code, asked in refused.items():
        with pytest.raises(DomainError) as refusal:
            await changes.quote(booking, asked)
        assert refusal.value.code == code
    assert await snapshot(changes.desk.database) == before


async def test_a_misspelt_name_is_corrected_once_for_nothing(changes: Changes) -> None:
    booking = await changes.paid("3A")
    (ada,) = await changes.people(booking)
    quote = await changes.quote(booking, CorrectName(passenger_id=ada.id, last_name="Lovelase"))
    assert (quote.due, quote.reason) == (0, "A first correction is free.")
    assert quote.change["told"] == [["name", "Ada Lovelace", "Ada Lovelase"]]
    await changes.confirm(quote, method=None)
    assert [one.last_name for one in await changes.people(booking)] == ["Lovelase"]
    assert await changes.rows("SELECT status FROM tickets ORDER BY number") == [("EXCHANGED",), ("OPEN",)]
    again = await changes.quote(booking, CorrectName(passenger_id=ada.id, last_name="Lovelace"))
    assert (again.penalty, again.due) == (30_00, 30_00)
    assert again.reason == "The name was corrected before: the fare asks a fee."
    await changes.confirm(again)
    assert [one.last_name for one in await changes.people(booking)] == ["Lovelace"]
    assert await changes.faults() == []


@pytest.mark.parametrize(
    "wish",
    [
        {"first_name": "Lovelace", "last_name": "Ada"},
        {"title": PassengerTitle.DR},
        {"first_name": "Adam"},
        {"last_name": "Løvelãce"},
        {"last_name": "Lovleaec"},
    ],
    ids=lambda wish: "-".join(map(str, wish.values())),
)
async def test_what_is_the_same_person(changes: Changes, wish: dict[str, object]) -> None:
    booking = await changes.paid("3A")
    (ada,) = await changes.people(booking)
    quote = await changes.quote(booking, CorrectName(passenger_id=ada.id, **wish))  # type: ignore[arg-type]
    assert quote.due == 0


@pytest.mark.parametrize(
    "wish",
    [
        {"first_name": "Grace"},
        {"last_name": "Hopper"},
        {"first_name": "Ida", "last_name": "Lovelase"},
        {"first_name": "Lovelace", "last_name": "Adda"},
    ],
    ids=lambda wish: "-".join(map(str, wish.values())),
)
async def test_another_person_does_not_travel_instead(changes: Changes, wish: dict[str, object]) -> None:
    booking = await changes.paid("3A")
    (ada,) = await changes.people(booking)
    before = await snapshot(changes.desk.database)
    with pytest.raises(Conflict) as refusal:
        await changes.quote(booking, CorrectName(passenger_id=ada.id, **wish))  # type: ignore[arg-type]
    assert refusal.value.code == "NAME_CHANGE_TOO_LARGE"
    assert await snapshot(changes.desk.database) == before
