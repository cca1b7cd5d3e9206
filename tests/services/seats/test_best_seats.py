"""Best seats of a real flight: suggested, held in one request, and refused with nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.db import Database
from core.errors import DomainError, Invalid, NotFound
from core.money import Money
from models import Cabin, PassengerType
from services.fares import Party
from services.holds import Owner, Placed, Placer, SalesClosed, SeatsTaken, SoldOut, Want
from services.holds.best_seats import (
    BestSeatsClerk,
    BestSeatsWanted,
    NoSafeSeat,
    SeatsContested,
    suggest_seats,
)
from services.idempotency import KeyReused
from services.seats import Plans, UnknownSeat
from services.seats.suggestions import BestSeats, Suggestion
from services.seats.wishes import SeatWish
from tests.factories.best_seats import best, grow, wanted
from tests.factories.cabins import party
from tests.factories.holds import GUEST, everything, key, place, pools, seats
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

FREE, LEGROOM = Money(0, "USD"), Money(39_00, "USD")


async def suggested(database: Database, asked: BestSeats, travelling: Party) -> Suggestion | None:
    async with database.reading() as session:
        return await suggest_seats(session, Plans(), asked, travelling)


async def change(database: Database, statement: str, **values: object) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def test_two_sit_side_by_side_where_nothing_costs_extra(database: Database, schedule: Schedule) -> None:
    found = await suggested(database, best(schedule.first, SeatWish.WINDOW), party(2))
    assert found is not None
    assert (found.numbers, found.price) == (("3A", "3B"), FREE)
    assert found.reason == "2 seats side by side in row 3. As you wished: by the window."
    assert [[one.seat.number for one in group.seats] for group in found.groups] == [["3A", "3B"]]


async def test_who_wishes_for_legroom_is_told_what_it_costs(database: Database, schedule: Schedule) -> None:
    found = await suggested(database, best(schedule.first, SeatWish.EXTRA_LEGROOM, SeatWish.AISLE), party(2))
    assert found is not None
    assert (found.numbers, found.price) == (("2A", "2B"), LEGROOM * 2)
    assert found.arrangement.met == (SeatWish.AISLE, SeatWish.EXTRA_LEGROOM)


async def test_a_child_sits_beside_an_adult_and_not_beside_the_exit(database: Database, schedule: Schedule) -> None:
    found = await suggested(database, best(schedule.first, SeatWish.EXTRA_LEGROOM), party(1, 1))
    assert found is not None
    ((child, adult),) = [group.seats for group in found.groups]
    assert (child.seat.number, child.passenger_type, adult.seat.number) == ("3A", PassengerType.CHILD, "3B")
    assert (
        found.reason == "2 seats side by side in row 3. The child sits beside an adult. Not to be had: extra legroom."
    )


async def test_what_is_taken_is_left_out_until_its_deadline(database: Database, schedule: Schedule) -> None:
    noon = datetime.now(UTC)
    await set_clock(database, noon)
    await place(database, schedule.first, "3A", minutes=5)
    before = await suggested(database, best(schedule.first), party(1))
    await set_clock(database, noon + timedelta(minutes=5))
    after = await suggested(database, best(schedule.first), party(1))
    assert before is not None
    assert after is not None
    assert (before.numbers, after.numbers) == (("3B",), ("3A",))


async def test_expired_holds_leave_room_in_the_pool(database: Database, schedule: Schedule) -> None:
    noon = datetime.now(UTC)
    await set_clock(database, noon)
    await place(database, schedule.first, "3A", "3B", "3C", "3D", "2A", "2B", "2C", "2D", minutes=5)
    with pytest.raises(SoldOut):
        await suggested(database, best(schedule.first), party(1))
    await set_clock(database, noon + timedelta(minutes=5))
    found = await suggested(database, best(schedule.first), party(4))
    assert found is not None
    assert found.numbers == ("3A", "3B", "3C", "3D")


async def test_too_few_left_is_told_with_how_many(database: Database, schedule: Schedule) -> None:
    await place(database, schedule.first, "3A", "3B", "3C", "3D", "2A")
    with pytest.raises(SoldOut) as refusal:
        await suggested(database, best(schedule.first), party(4))
    assert (refusal.value.slot_id, refusal.value.pool, refusal.value.left) == (schedule.first, "ECONOMY", 3)


async def test_a_pool_may_have_less_than_the_cabin_has_seats(database: Database, schedule: Schedule) -> None:
    await change(database, "UPDATE pools SET authorised = 2, class_limits[1] = 2 WHERE code = 'ECONOMY'")
    with pytest.raises(SoldOut) as refusal:
        await suggested(database, best(schedule.first), party(3))
    assert refusal.value.left == 2


async def test_no_seat_outside_the_exit_row_is_told_by_type(database: Database, schedule: Schedule) -> None:
    await place(database, schedule.first, "3A", "3B", "3C", "3D")
    for travelling, wishes in ((party(1, 1), ()), (party(1, 0, 1), ()), (party(1), (SeatWish.ACCESSIBLE,))):
        with pytest.raises(NoSafeSeat, match="only 0 of the 4 seats left are elsewhere"):
            await suggested(database, best(schedule.first, *wishes), travelling)


async def test_nothing_is_suggested_where_no_seats_are_chosen(database: Database, schedule: Schedule) -> None:
    assert await suggested(database, best(999_999), party(1)) is None
    await change(database, "UPDATE slots SET layout_id = NULL WHERE id = :id", id=schedule.first)
    assert await suggested(database, best(schedule.first), party(1)) is None


async def test_a_cabin_that_the_flight_has_not_is_sold_out(database: Database, schedule: Schedule) -> None:
    with pytest.raises(SoldOut) as refusal:
        await suggested(database, best(schedule.first, cabin=Cabin.BUSINESS), party(1))
    assert refusal.value.left == 0


async def test_a_flight_that_is_not_sold_any_more_has_no_best_seats(database: Database, schedule: Schedule) -> None:
    await change(database, "UPDATE slots SET status = 'CLOSED' WHERE id = :id", id=schedule.first)
    with pytest.raises(SalesClosed):
        await suggested(database, best(schedule.first), party(1))


@pytest.mark.parametrize("near", ["9Z", "9", "A", "", "2E"])
async def test_near_what_is_not_there_is_refused(database: Database, schedule: Schedule, near: str) -> None:
    with pytest.raises(UnknownSeat) as refusal:
        await suggested(database, best(schedule.first, near=near), party(1))
    assert refusal.value.field == "near"


async def test_near_needs_a_place(database: Database, schedule: Schedule) -> None:
    with pytest.raises(Invalid) as refusal:
        await suggested(database, best(schedule.first, SeatWish.NEAR), party(1))
    assert refusal.value.field == "near"


async def test_near_a_seat_or_a_row(database: Database, schedule: Schedule) -> None:
    await grow(database, 10)
    seat = await suggested(database, best(schedule.first, near="7c"), party(1))
    row = await suggested(database, best(schedule.first, near=" 7 "), party(1))
    assert seat is not None
    assert row is not None
    assert (seat.numbers, row.numbers) == (("7C",), ("7A",))


async def test_the_best_seats_of_two_flights_are_held_together(
    database: Database, schedule: Schedule, clerk: BestSeatsClerk
) -> None:
    asked = wanted(best(schedule.first), best(schedule.second, cabin=Cabin.FIRST), minutes=10)
    held = await clerk.hold(GUEST, asked, key())
    assert [one.numbers for one in held.suggestions] == [("3A", "3B"), ("1A", "1B")]
    assert held.hold.minutes == 10
    assert await seats(database, schedule.first) == {"3A": "LOCKED", "3B": "LOCKED"}
    assert await seats(database, schedule.second) == {"1A": "LOCKED", "1B": "LOCKED"}
    assert (await pools(database, schedule.first))["ECONOMY"] == (2, 0)


async def test_the_same_key_has_the_same_hold_although_other_seats_are_best_now(
    database: Database, schedule: Schedule, clerk: BestSeatsClerk
) -> None:
    with_key, asked = key(), wanted(best(schedule.first))
    first = await clerk.hold(GUEST, asked, with_key)
    before = await everything(database)
    again = await clerk.hold(GUEST, asked, with_key)
    assert again.hold == first.hold
    assert [one.numbers for one in again.suggestions] == [one.numbers for one in first.suggestions] == [("3A", "3B")]
    assert await everything(database) == before


async def test_the_same_key_has_its_hold_when_nothing_is_left(
    database: Database, schedule: Schedule, clerk: BestSeatsClerk
) -> None:
    with_key, asked = key(), wanted(best(schedule.first), travelling=party(8))
    first = await clerk.hold(GUEST, asked, with_key)
    before = await everything(database)
    assert (await clerk.hold(GUEST, asked, with_key)).hold == first.hold
    with pytest.raises(KeyReused):
        await clerk.hold(GUEST, wanted(best(schedule.first), travelling=party(1)), with_key)
    with pytest.raises(SoldOut):
        await clerk.hold(GUEST, asked, key())
    await change(database, "UPDATE slots SET status = 'CLOSED'")
    assert (await clerk.hold(GUEST, asked, with_key)).hold == first.hold
    assert await everything(database) == before


async def refusal_of(clerk: BestSeatsClerk, asked: BestSeatsWanted, with_key: str | None = None) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        await clerk.hold(GUEST, asked, key() if with_key is None else with_key)
    return refusal.value


async def test_what_is_refused_changes_nothing(database: Database, schedule: Schedule, clerk: BestSeatsClerk) -> None:
    await place(database, schedule.second, "3A", "3B", "3C", "3D")
    before = await everything(database)
    here, full = best(schedule.first), best(schedule.second)
    family = party(1, 1)
    refusals = [
        (NotFound, await refusal_of(clerk, wanted(here, best(999_999)))),
        (SoldOut, await refusal_of(clerk, wanted(here, full, travelling=party(5)))),
        (NoSafeSeat, await refusal_of(clerk, wanted(here, full, travelling=family))),
        (UnknownSeat, await refusal_of(clerk, wanted(here, best(schedule.second, near="44A")))),
        (Invalid, await refusal_of(clerk, wanted(here, here))),
        (Invalid, await refusal_of(clerk, wanted())),
        (Invalid, await refusal_of(clerk, wanted(here, minutes=4))),
        (Invalid, await refusal_of(clerk, wanted(here), with_key="not a UUID")),
    ]
    assert [type(refusal) for _, refusal in refusals] == [kind for kind, _ in refusals]
    assert [getattr(refusal, "field", None) for _, refusal in refusals[3:]] == [
        "flights.1.near",
        "flights",
        "flights",
        "minutes",
        "idempotencyKey",
    ]
    assert await everything(database) == before


class Unlucky(Placer):
    """Somebody is always quicker."""

    tries = 0

    async def place(self, owner: Owner, wants: Sequence[Want], *_: object, **__: object) -> Placed:
        """Refuse, as the database does."""
        self.tries += 1
        raise SeatsTaken({want.slot_id: list(want.units) for want in wants})


async def test_who_is_never_quick_enough_is_told_so_in_the_end(database: Database, schedule: Schedule) -> None:
    unlucky = Unlucky(database, Plans())
    before = await everything(database)
    refusal = await refusal_of(BestSeatsClerk(db=database, plans=Plans(), placer=unlucky), wanted(best(schedule.first)))
    await unlucky.aclose()
    assert isinstance(refusal, SeatsContested)
    assert unlucky.tries == 8
    assert await everything(database) == before
