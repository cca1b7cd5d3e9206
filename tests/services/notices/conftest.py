"""A counter at the small schedule, a gateway, and Ada, who has an account and books."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

import pytest

from core.db import Database
from core.keys import Keyring
from core.passwords import Passwords
from models import Booking, PassengerType
from services import bookings, users
from services.gateways import Gateways
from services.holds import Owner
from services.seats import Plans
from services.users import Register
from tests.factories.bookings import Desk, key, traveller
from tests.factories.schedules import Schedule

Book = Callable[..., Awaitable[Booking]]


@pytest.fixture
def desk(database: Database, keyring: Keyring, plans: Plans, schedule: Schedule) -> Desk:
    """A counter that sells."""
    return Desk(database, keyring, plans, schedule)


@pytest.fixture
async def ada(database: Database, keyring: Keyring, passwords: Passwords) -> UUID:
    """Ada's account."""
    command = Register(email="ada@example.org", password="difference engine", name="Ada Lovelace")
    entry = await users.prepare(passwords, command)
    async with database.transaction() as session:
        return (await users.register(session, keyring, entry)).user.id


@pytest.fixture
def book(desk: Desk, gateways: Gateways) -> Book:
    """Book a seat of the first flight for somebody, or a guest; and pay it, unless `method` is None."""

    async def booked(unit: str, owner: UUID | None = None, method: str | None = "pm_card_visa") -> Booking:
        offer, hold_id = await desk.offer("FLEX"), await desk.hold(unit)
        party = traveller(desk.schedule, PassengerType.ADULT, "Lovelace", unit)
        command = replace(desk.command(offer, hold_id, party), owner=Owner(user_id=owner))
        made = await desk.create(command)
        if method is not None:
            await bookings.pay(desk.database, gateways, made.id, method, None, command.owner, key())
        return made

    return booked
