"""A hold while it lives: its deadline moves by rule, and ends in exactly one way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.db import Database, Session
from core.errors import Conflict, DomainError, NotFound
from core.ids import uuid7
from models import Hold, HoldStatus
from services import holds
from services.holds import HoldExpired
from services.holds.keeping import ExtensionLimit, HoldBooked
from services.idempotency import KeyReused
from tests.factories.holds import CAUSE, GUEST, everything, facts, key, place, pools, seats, versions, want
from tests.factories.schedules import Schedule
from tests.fakes.clock import set_clock

MINUTE, INSTANT = timedelta(minutes=1), timedelta(microseconds=1)
Result = TypeVar("Result")
Refusal = TypeVar("Refusal", bound=DomainError)
Step = Callable[[Session], Awaitable[Result]]


async def do(database: Database, step: Step[Result]) -> Result:
    """One step in a transaction of its own."""
    async with database.transaction() as session:
        return await step(session)


async def refused(database: Database, refusal: type[Refusal], step: Step[object]) -> Refusal:
    """Assert that the step is refused so and that nothing changes; the refusal."""
    before = await everything(database)
    with pytest.raises(refusal) as caught:
        await do(database, step)
    assert await everything(database) == before
    return caught.value


async def deadline(database: Database, hold_id: UUID) -> datetime:
    """When the hold ends; its claims end with it."""
    both = "SELECT expires_at FROM holds WHERE id = :id UNION ALL SELECT expires_at FROM claims WHERE hold_id = :id"
    async with database.reading() as session:
        (moment,) = set(await session.scalars(text(both), {"id": hold_id}))
    assert isinstance(moment, datetime)
    return moment


def extend(hold_id: UUID, with_key: str = "") -> Step[Hold]:
    return lambda session: holds.extend(session, hold_id, GUEST, with_key or key())


def release(hold_id: UUID, *, booked: bool = False) -> Step[Hold]:
    return lambda session: holds.release(session, hold_id, CAUSE, booked=booked)


def take_over(hold_id: UUID) -> Step[None]:
    return lambda session: holds.take_over(session, hold_id, CAUSE)


def begin_payment(hold_id: UUID) -> Step[datetime]:
    return lambda session: holds.begin_payment(session, hold_id)


def payment_failed(hold_id: UUID) -> Step[bool]:
    return lambda session: holds.payment_failed(session, hold_id)


def abandon(hold_id: UUID) -> Step[None]:
    return lambda session: holds.abandon(session, hold_id, CAUSE)


def attach(hold_id: UUID) -> Step[None]:
    async def step(session: Session) -> None:
        await holds.attach(session, await holds.lock_now(session, hold_id), uuid7())

    return step


def give_back(hold_id: UUID, slot_id: int, *units: str) -> Step[None]:
    return lambda session: holds.give_back(session, hold_id, [want(slot_id, *units)])


class TestExtending:
    """Twice, thirty minutes in all, and only while it lives."""

    async def test_it_gets_its_minutes_again_from_now_on(self, database: Database, held: UUID, noon: datetime) -> None:
        told = await facts(database)
        await set_clock(database, noon + 10 * MINUTE)
        hold = await do(database, extend(held))
        assert (hold.expires_at, hold.extensions) == (noon + 25 * MINUTE, 1)
        assert await deadline(database, held) == noon + 25 * MINUTE
        assert await facts(database) == [*told, ("hold.extended", f"hold:{held}")]

    async def test_nobody_sees_a_seat_change(self, database: Database, schedule: Schedule, held: UUID) -> None:
        before = await versions(database, schedule.first)
        await do(database, begin_payment(held))
        await do(database, payment_failed(held))
        assert await versions(database, schedule.first) == before

    async def test_it_is_extended_twice(self, database: Database, schedule: Schedule, noon: datetime) -> None:
        short = await place(database, schedule.first, "3A", minutes=5)
        for minute in (4, 8):
            await set_clock(database, noon + minute * MINUTE)
            await do(database, extend(short))
        assert await deadline(database, short) == noon + 13 * MINUTE
        await set_clock(database, noon + 12 * MINUTE)
        refusal = await refused(database, ExtensionLimit, extend(short))
        assert (refusal.code, refusal.message) == ("EXTENSION_LIMIT", "A hold can be extended twice.")

    async def test_it_lasts_thirty_minutes_in_all(self, database: Database, held: UUID, noon: datetime) -> None:
        for minute in (14, 28):
            await set_clock(database, noon + minute * MINUTE)
            await do(database, extend(held))
        assert await deadline(database, held) == noon + 30 * MINUTE

    async def test_what_would_not_move_the_deadline_is_refused(self, database: Database, held: UUID) -> None:
        await refused(database, ExtensionLimit, extend(held))

    async def test_the_same_key_extends_once(self, database: Database, held: UUID, noon: datetime) -> None:
        same = key()
        await set_clock(database, noon + 5 * MINUTE)
        await do(database, extend(held, same))
        before = await everything(database)
        await set_clock(database, noon + 10 * MINUTE)
        hold = await do(database, extend(held, same))
        assert (hold.expires_at, hold.extensions) == (noon + 20 * MINUTE, 1)
        assert await everything(database) == before

    async def test_a_key_is_for_one_hold(self, database: Database, schedule: Schedule, held: UUID) -> None:
        same, other = key(), await place(database, schedule.first, "3A")
        await set_clock(database, await deadline(database, held) - MINUTE)
        await do(database, extend(held, same))
        await refused(database, KeyReused, extend(other, same))

    async def test_a_refused_extension_spends_no_key(self, database: Database, held: UUID, noon: datetime) -> None:
        same = key()
        await refused(database, ExtensionLimit, extend(held, same))
        await set_clock(database, noon + MINUTE)
        assert (await do(database, extend(held, same))).expires_at == noon + 16 * MINUTE

    async def test_the_last_instant_counts(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE - INSTANT)
        assert (await do(database, extend(held))).expires_at == noon + 30 * MINUTE - INSTANT

    async def test_the_deadline_itself_is_too_late(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        assert (await refused(database, HoldExpired, extend(held))).expired_at == noon + 15 * MINUTE


class TestTheDeadlineForOthers:
    """A seat is somebody else's until the deadline, and free from that instant on."""

    async def test_one_instant_before(self, database: Database, schedule: Schedule, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE - INSTANT)
        before = await everything(database)
        with pytest.raises(holds.SeatsTaken):
            await place(database, schedule.first, "2B", "2C")
        assert await everything(database) == before
        assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}

    async def test_at_that_instant(self, database: Database, schedule: Schedule, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
        await place(database, schedule.first, "2B", "2C")
        assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "LOCKED", "2C": "LOCKED"}


class TestReleasing:
    """Everything goes back at once, once."""

    async def test_everything_goes_back(self, database: Database, schedule: Schedule, held: UUID) -> None:
        before = await versions(database, schedule.first)
        hold = await do(database, release(held))
        after = await versions(database, schedule.first)
        assert hold.status is HoldStatus.RELEASED
        assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "AVAILABLE"}
        assert all(after[unit] > before[unit] for unit in before)
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
        assert (await facts(database))[-2:] == [
            ("seat.released", f"slot:{schedule.first}"),
            ("hold.released", f"hold:{held}"),
        ]

    async def test_twice_is_once(self, database: Database, held: UUID, noon: datetime) -> None:
        await do(database, release(held))
        before = await everything(database)
        await set_clock(database, noon + 60 * MINUTE)
        assert (await do(database, release(held))).status is HoldStatus.RELEASED
        assert await everything(database) == before

    async def test_what_another_has_taken_since_stays_the_others(
        self, database: Database, schedule: Schedule, held: UUID
    ) -> None:
        await do(database, release(held))
        await place(database, schedule.first, "2A")
        await do(database, release(held))
        assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "AVAILABLE"}

    async def test_an_expired_hold_has_nothing_to_release(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        await refused(database, HoldExpired, release(held))
        await do(database, lambda session: holds.expire_due(session, 10))
        await refused(database, HoldExpired, release(held))

    async def test_what_was_never_held_is_not_found(self, database: Database, schedule: Schedule) -> None:
        for step in (release(uuid7()), extend(uuid7()), take_over(uuid7()), begin_payment(uuid7())):
            await refused(database, NotFound, step)


class TestBooked:
    """From its booking on the hold is the booking's."""

    async def test_it_is_extended_released_and_booked_no_more(
        self, database: Database, held: UUID, noon: datetime
    ) -> None:
        await do(database, attach(held))
        await set_clock(database, noon + MINUTE)
        for step in (extend(held), release(held), attach(held)):
            assert (await refused(database, HoldBooked, step)).code == "HOLD_BOOKED"

    async def test_the_booking_itself_may_release_it(self, database: Database, schedule: Schedule, held: UUID) -> None:
        await do(database, attach(held))
        assert (await do(database, release(held, booked=True))).status is HoldStatus.RELEASED
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}

    async def test_an_expired_or_released_hold_is_not_booked(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        released = await place(database, schedule.first, "3A")
        await do(database, release(released))
        await refused(database, HoldExpired, attach(released))
        await set_clock(database, noon + 15 * MINUTE)
        await refused(database, HoldExpired, attach(held))


class TestPaying:
    """Ten minutes from now at least while a bank thinks; then the old deadline again."""

    async def test_ten_minutes_from_now_and_back(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 14 * MINUTE)
        assert await do(database, begin_payment(held)) == noon + 24 * MINUTE
        assert await deadline(database, held) == noon + 24 * MINUTE
        assert await do(database, payment_failed(held)) is True
        assert await deadline(database, held) == noon + 15 * MINUTE

    async def test_who_pays_early_keeps_what_was_promised(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + MINUTE)
        assert await do(database, begin_payment(held)) == noon + 15 * MINUTE
        assert await deadline(database, held) == noon + 15 * MINUTE

    async def test_whoever_died_while_paying_stays_dead(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 14 * MINUTE)
        await do(database, begin_payment(held))
        for minute in (16, 25):
            await set_clock(database, noon + minute * MINUTE)
            assert await do(database, payment_failed(held)) is False
            assert await deadline(database, held) == noon + 15 * MINUTE
            await refused(database, HoldExpired, begin_payment(held))

    async def test_a_hold_whose_booking_ended_ends_with_it(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        other = await place(database, schedule.first, "3A")
        await do(database, abandon(other))
        await set_clock(database, noon + 15 * MINUTE)
        await do(database, abandon(held))
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
        async with database.reading() as session:
            ended = {hold.id: hold.status for hold in await session.scalars(select(Hold))}
        assert ended == {other: HoldStatus.RELEASED, held: HoldStatus.EXPIRED}
        before = await everything(database)
        await do(database, abandon(held))
        assert await everything(database) == before

    async def test_asked_again_it_stays(self, database: Database, held: UUID, noon: datetime) -> None:
        await do(database, begin_payment(held))
        await set_clock(database, noon + 5 * MINUTE)
        before = await everything(database)
        assert await do(database, begin_payment(held)) == noon + 15 * MINUTE
        assert await everything(database) == before

    async def test_a_failure_without_a_payment_changes_nothing(self, database: Database, held: UUID) -> None:
        before = await everything(database)
        await do(database, payment_failed(held))
        assert await everything(database) == before

    async def test_each_payment_has_its_grace(self, database: Database, held: UUID, noon: datetime) -> None:
        for minute in (6, 7, 14):
            await set_clock(database, noon + minute * MINUTE)
            assert await do(database, begin_payment(held)) == noon + (minute + 10) * MINUTE
            await do(database, payment_failed(held))
            assert await deadline(database, held) == noon + 15 * MINUTE

    async def test_one_grace_beyond_the_cap(self, database: Database, held: UUID, noon: datetime) -> None:
        for minute in (14, 28):
            await set_clock(database, noon + minute * MINUTE)
            await do(database, extend(held))
        await set_clock(database, noon + 30 * MINUTE - INSTANT)
        assert await do(database, begin_payment(held)) == noon + 40 * MINUTE - INSTANT

    async def test_an_expired_hold_is_not_paid(self, database: Database, held: UUID, noon: datetime) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        await refused(database, HoldExpired, begin_payment(held))

    async def test_a_failure_told_after_the_end_changes_nothing(self, database: Database, held: UUID) -> None:
        await do(database, begin_payment(held))
        await do(database, release(held))
        before = await everything(database)
        await do(database, payment_failed(held))
        assert await everything(database) == before


class TestTakingOver:
    """What the hold keeps is sold, all of it or nothing."""

    async def test_the_seats_are_booked(self, database: Database, schedule: Schedule, held: UUID) -> None:
        before = await versions(database, schedule.first)
        await do(database, take_over(held))
        after = await versions(database, schedule.first)
        assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
        assert all(after[unit] > before[unit] for unit in before)
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}
        assert (await facts(database))[-2:] == [
            ("seat.booked", f"slot:{schedule.first}"),
            ("hold.booked", f"hold:{held}"),
        ]

    async def test_a_second_time_is_refused(self, database: Database, held: UUID) -> None:
        await do(database, take_over(held))
        await refused(database, HoldExpired, take_over(held))

    async def test_late_but_before_anybody_else(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        await set_clock(database, noon + 60 * MINUTE)
        await do(database, take_over(held))
        assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "BOOKED"}
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 2), "FIRST": (0, 0)}

    async def test_not_when_one_seat_is_somebody_elses(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        await place(database, schedule.first, "2B")
        await refused(database, HoldExpired, take_over(held))

    async def test_not_when_a_seat_was_taken_and_given_back(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        await set_clock(database, noon + 15 * MINUTE)
        await do(database, release(await place(database, schedule.first, "2B")))
        await refused(database, HoldExpired, take_over(held))

    async def test_not_after_it_has_ended(
        self, database: Database, schedule: Schedule, held: UUID, noon: datetime
    ) -> None:
        released = await place(database, schedule.first, "3A")
        await do(database, release(released))
        await refused(database, HoldExpired, take_over(released))
        await set_clock(database, noon + 15 * MINUTE)
        await do(database, lambda session: holds.expire_due(session, 10))
        await refused(database, HoldExpired, take_over(held))


class TestGivingBack:
    """Sold seats return to everybody, each once."""

    async def test_some_of_them(self, database: Database, schedule: Schedule, held: UUID) -> None:
        await do(database, take_over(held))
        await do(database, give_back(held, schedule.first, "2B"))
        assert await seats(database, schedule.first) == {"2A": "BOOKED", "2B": "AVAILABLE"}
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 1), "FIRST": (0, 0)}
        assert (await facts(database))[-1] == ("seat.released", f"slot:{schedule.first}")
        await place(database, schedule.first, "2B")
        await do(database, give_back(held, schedule.first, "2A"))
        assert await seats(database, schedule.first) == {"2A": "AVAILABLE", "2B": "LOCKED"}
        assert await pools(database, schedule.first) == {"ECONOMY": (1, 0), "FIRST": (0, 0)}

    async def test_of_two_cabins(self, database: Database, schedule: Schedule, noon: datetime) -> None:
        both = await place(database, schedule.first, "1A", "3A", "3B")
        await do(database, take_over(both))
        await do(database, give_back(both, schedule.first, "3A", "1A"))
        assert await pools(database, schedule.first) == {"ECONOMY": (0, 1), "FIRST": (0, 0)}

    async def test_only_what_is_the_bookings(self, database: Database, schedule: Schedule, held: UUID) -> None:
        other = await place(database, schedule.first, "3A")
        await refused(database, Conflict, give_back(held, schedule.first, "2A"))
        for hold_id in (held, other):
            await do(database, take_over(hold_id))
        await do(database, give_back(held, schedule.first, "2A"))
        for units in (("2A",), ("3A",), ("2A", "2B"), ("2B", "3C")):
            refusal = await refused(database, Conflict, give_back(held, schedule.first, *units))
            assert refusal.code == "SEATS_NOT_BOOKED"
        await refused(database, Conflict, give_back(held, schedule.second, "2B"))
