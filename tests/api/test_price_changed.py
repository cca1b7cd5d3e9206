"""Whoever books an offer whose booking class has closed is shown what the same costs now, in the same answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from core import ids
from core.db import Database
from core.settings import asyncpg_url
from tests.factories.places import set_pool
from tests.fakes.clients import Client
from tests.fakes.servers import Server
from tests.stories.journeys import book, choose, hold, in_days

LIMITS = text("SELECT class_limits FROM pools WHERE slot_id = :id AND code = 'ECONOMY'")


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """The server's own."""
    database = Database(asyncpg_url(f"postgresql://jetway@/jetway?host={server.home / 'postgres'}"))
    yield database
    await database.close()


async def test_a_closed_class_is_answered_with_the_next_offer(server: Server, database: Database) -> None:
    async with Client(server.url) as ada:
        choice = await choose(ada, in_days(26), alone=True)
        held = await hold(ada, choice)
        slot_id = ids.number_of("Flight", choice.flight_id)
        async with database.reading() as session:
            limits: list[int] = await session.scalar(LIMITS, {"id": slot_id})
        await set_pool(database, slot_id, "ECONOMY", class_limits=[*limits[:-1], 0])
        refused = await book(ada, choice, held, ("Ada", "Lovelace"))
        assert (refused["__typename"], refused["code"]) == ("PriceChanged", "PRICE_CHANGED")
        renewed = refused["offer"]
        assert Decimal(renewed["total"]["amount"]) > Decimal(choice.offer["total"]["amount"])
        assert renewed["slices"][0]["segments"][0]["flight"]["id"] == choice.flight_id

        await set_pool(database, slot_id, "ECONOMY", class_limits=[0] * len(limits))
        refused = await book(ada, choice, held, ("Ada", "Lovelace"))
        assert (refused["__typename"], refused["offer"]) == ("PriceChanged", None)

        await set_pool(database, slot_id, "ECONOMY", class_limits=limits)
        assert (await book(ada, choice, held, ("Ada", "Lovelace")))["total"] == choice.offer["total"]
