"""A booking is changed while it is cancelled, by two at once, or while its new seat expires: one of them happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.db import Database, Session
from core.errors import DomainError
from core.keys import Keyring
from models import Amendment, Booking
from services import bookings, holds
from services.amendments import confirming
from services.amendments.confirming import Command
from services.bookings.cancellation import cancel_once
from services.fraud import NOBODY
from services.gateways import Gateways
from services.seats import Plans
from tests.factories.amendments import Changes
from tests.factories.bookings import GUEST, Desk, key, pass_time
from tests.factories.holds import CAUSE, pools, seats
from tests.factories.schedules import Schedule
from tests.fakes.blocking import until_blocked
from tests.fakes.sandbox import Sandbox

RIVALS = 6


@dataclass(frozen=True)
class Scene:
    """A booking that is paid, a quote to change it free of charge, and one to cancel it."""

    changes: Changes
    booking: Booking
    quote: Amendment
    cancellation: object

    @property
    def database(self) -> Database:
        return self.changes.desk.database


Step = Callable[[Session, Scene], Awaitable[object]]


@pytest.fixture
def changes(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule, gateways: Gateways) -> Changes:
    """What changes bookings at the small schedule: within a day of booking and a week ahead, free of charge."""
    return Changes(Desk(database, keyring, plans, schedule), gateways)


@pytest.fixture
async def scene(changes: Changes) -> Scene:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.flight(booking, "3B"))
    async with changes.desk.database.transaction() as session:
        cancellation = await bookings.quote_cancellation(session, booking)
    return Scene(changes, booking, quote, cancellation.id)


def command(scene: Scene) -> Command:
    return Command(
        quote_id=scene.quote.id,
        booking_id=scene.booking.id,
        method=None,
        return_url=None,
        gateways=scene.changes.gateways,
        owner=GUEST,
        key=key(),
        payer=NOBODY,
    )


async def change(session: Session, scene: Scene) -> object:
    return await confirming.begin(session, command(scene))


async def cancel(session: Session, scene: Scene) -> object:
    await cancel_once(session, scene.cancellation, scene.booking.id, CAUSE)  # type: ignore[arg-type]
    return None


async def commit(scene: Scene, step: Step) -> str:
    """What comes of a step in a transaction of its own."""
    try:
        async with scene.database.transaction() as session:
            await step(session, scene)
    except DomainError as refusal:
        return refusal.code
    return "done"


@pytest.mark.parametrize(
    ("first", "second", "told", "status"),
    [(change, cancel, "QUOTE_EXPIRED", "CONFIRMED"), (cancel, change, "WRONG_STATE", "CANCELLED")],
    ids=["change-first", "cancel-first"],
)
async def test_the_first_to_lock_wins_and_the_other_is_told(
    scene: Scene, first: Step, second: Step, told: str, status: str
) -> None:
    async with scene.database.transaction() as session:
        await first(session, scene)
        late = asyncio.create_task(commit(scene, second))
        await until_blocked(scene.database)
    assert await late == told
    await bookings.advance(scene.database, scene.changes.gateways, scene.booking.id)
    assert (await scene.changes.booking(scene.booking.id)).status == status
    assert await scene.changes.faults() == []


async def test_of_many_who_confirm_one_quote_one_does(scene: Scene) -> None:
    outcomes = await asyncio.gather(*(commit(scene, change) for _ in range(RIVALS)))
    assert sorted(outcomes) == ["QUOTE_SPENT"] * (RIVALS - 1) + ["done"]
    assert await seats(scene.database, scene.changes.desk.schedule.second) == {"3B": "BOOKED"}
    assert await scene.changes.faults() == []


async def test_of_many_who_pay_for_one_change_one_does(changes: Changes, sandbox: Sandbox) -> None:
    booking = await changes.paid("3A")
    quote = await changes.quote(booking, await changes.seat(booking, "2A"))

    async def pay() -> str:
        try:
            return str((await changes.confirm(quote)).status)
        except DomainError as refusal:
            return refusal.code

    outcomes = await asyncio.gather(*(pay() for _ in range(RIVALS)))
    assert sorted(outcomes) == ["APPLIED"] + ["QUOTE_SPENT"] * (RIVALS - 1)
    assert sorted(one["amount_received"] for one in await sandbox.intents(booking.id)) == [39_00, booking.total]
    assert await changes.faults() == []


async def test_a_sweeper_passes_by_what_is_being_confirmed(scene: Scene) -> None:
    async with scene.database.transaction() as session:
        await change(session, scene)
        await pass_time(scene.database, timedelta(minutes=16))
        async with scene.database.transaction() as sweeper:
            assert await holds.expire_due(sweeper, 10) == 0
    assert await seats(scene.database, scene.changes.desk.schedule.second) == {"3B": "BOOKED"}
    assert await scene.changes.faults() == []


async def test_a_hold_that_is_swept_first_changes_nothing(scene: Scene) -> None:
    await pass_time(scene.database, timedelta(minutes=16))
    async with scene.database.transaction() as sweeper:
        assert await holds.expire_due(sweeper, 10) == 1
        late = asyncio.create_task(commit(scene, change))
        await until_blocked(scene.database)
    assert await late == "QUOTE_EXPIRED"
    assert await pools(scene.database, scene.changes.desk.schedule.second) == {"ECONOMY": (0, 0), "FIRST": (0, 0)}
    assert await scene.changes.faults() == []


async def test_control_looking_without_a_lock_lets_both_happen(scene: Scene) -> None:
    together = asyncio.Barrier(2)

    async def naive(statement: str) -> bool:
        async with scene.database.transaction() as session:
            status = (await session.execute(text("SELECT status FROM bookings"))).scalar_one()
            await together.wait()
            if status == "CONFIRMED":
                await session.execute(text(statement))
            return bool(status == "CONFIRMED")

    changed = naive("UPDATE amendments SET status = 'APPLIED'")
    assert all(await asyncio.gather(changed, naive("UPDATE bookings SET status = 'CANCELLED'")))
