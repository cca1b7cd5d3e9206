"""Buyers buy while everything is killed in turn; then everything that must hold, holds.

A short run with the disasters in a fixed order. What a client was told is the record: a reply that was lost decides
nothing, a confirmation that was heard must stay true.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import text

from core.db import Database
from core.settings import asyncpg_url
from services import invariants
from tests.fakes.clients import Client, key
from tests.fakes.servers import Server, started
from tests.stories.journeys import Choice, book, in_days, pay, search, seat_statuses

BUYERS = 6
SEATS = 40
"""Few enough that buyers want the same ones."""

PATIENCE = 90.0


@pytest.fixture(scope="module")
def victim(folder: Path) -> Iterator[Server]:
    """A Jetway of our own, to be hurt."""
    with started(folder / "victim") as server:
        yield server


@dataclass
class Record:
    """What buyers were told: the seats that they were confirmed, by locator, and how many replies were lost."""

    confirmed: dict[str, list[str]] = field(default_factory=dict)
    lost: int = 0


async def test_killed_while_selling(victim: Server) -> None:
    async with Client(victim.url) as client:
        offer = (await search(client, in_days(14), adults=2))["edges"][0]["node"]
        flight_id = offer["slices"][0]["segments"][0]["flight"]["id"]
        free = seat_statuses(await client.ask("SeatMap", flightId=flight_id))
    choice = Choice(offer, flight_id, [seat for seat, status in free.items() if status == "AVAILABLE"][-SEATS:])
    record, over = Record(), asyncio.Event()
    buyers = [asyncio.create_task(buy(victim.url, choice, record, over, seed)) for seed in range(BUYERS)]
    try:
        await asyncio.sleep(2)
        for disaster in (kill_server, kill_worker, freeze_valkey, kill_postgres, kill_valkey):
            await disaster(victim)
            await ready(victim)
            await asyncio.sleep(1)
    finally:
        over.set()
        await asyncio.gather(*buyers)

    database = Database(asyncpg_url(f"postgresql://jetway@/jetway?host={victim.home / 'postgres'}"), pool_size=2)
    try:
        await settled(database)
        broken = {one.name: one.broken for one in await invariants.check(database) if one.broken}
        owned = await seats_owned(database)
    finally:
        await database.close()
    assert broken == {}
    assert record.confirmed
    seats = [seat for held in record.confirmed.values() for seat in held]
    assert len(seats) == len(set(seats))
    assert {pnr: owned.get(pnr) for pnr in record.confirmed} == record.confirmed


async def buy(url: str, choice: Choice, record: Record, over: asyncio.Event, seed: int) -> None:
    """Hold, book and pay pairs of seats until it is over; whoever loses a reply begins with something new."""
    dice = random.Random(seed)
    async with Client(url) as client:
        while not over.is_set():
            pair = sorted(dice.sample(choice.seats, 2))
            try:
                await attempt(client, Choice(choice.offer, choice.flight_id, pair), record)
            except (httpx.TransportError, AssertionError, ValueError):
                # The connection broke, or the answer was no answer of GraphQL's: the outcome is not known.
                record.lost += 1
                await asyncio.sleep(0.1)


async def attempt(client: Client, choice: Choice, record: Record) -> None:
    """One journey, as far as it gets."""
    wanted = [{"flightId": choice.flight_id, "seats": choice.seats}]
    held = await client.do("HoldSeats", flights=wanted, idempotencyKey=key())
    if held["__typename"] != "Hold":
        await asyncio.sleep(0.05)
        return
    booking = await book(client, choice, held, ("Ada", "Lovelace"), ("Bob", "Ng"))
    paid: Any = await pay(client, booking) if booking["__typename"] == "Booking" else booking
    if paid["__typename"] == "Payment" and paid["status"] == "CAPTURED":
        record.confirmed[booking["pnr"]] = choice.seats


def processes(server: Server, *words: str) -> list[psutil.Process]:
    """The programs of that Jetway whose command line has all of those words."""
    everything = psutil.Process(server.process.pid).children(recursive=True)
    return [one for one in everything if one.is_running() and all(word in " ".join(one.cmdline()) for word in words)]


def kill(server: Server, *words: str) -> None:
    """Kill -9; there must be something to kill."""
    found = processes(server, *words)
    assert found, words
    for one in found:
        one.kill()


async def kill_server(server: Server) -> None:
    kill(server, "core.lifeline", " app")


async def kill_worker(server: Server) -> None:
    kill(server, "core.lifeline", " worker")


async def kill_postgres(server: Server) -> None:
    kill(server, "postgres", "-D")


async def kill_valkey(server: Server) -> None:
    kill(server, "valkey-server")


async def freeze_valkey(server: Server) -> None:
    """Valkey stands still for a second and a half, then goes on as if nothing had been."""
    frozen = processes(server, "valkey-server")
    assert frozen
    for one in frozen:
        one.send_signal(signal.SIGSTOP)
    await asyncio.sleep(1.5)
    for one in frozen:
        one.send_signal(signal.SIGCONT)


async def ready(server: Server) -> None:
    """Until the server says that all it needs is there again."""
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"{server.url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


async def settled(database: Database) -> None:
    """Until no payment is under way any more: whatever was interrupted is completed or undone by itself."""
    under_way = text("SELECT count(*) FROM bookings WHERE status = 'PAYMENT_PENDING'")
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.reading() as session:
                if (await session.execute(under_way)).scalar_one() == 0:
                    return
            await asyncio.sleep(0.5)


async def seats_owned(database: Database) -> dict[str, list[str]]:
    """The seats of each confirmed booking, by locator."""
    owned = text(
        "SELECT bookings.pnr, array_agg(seat.unit ORDER BY seat.unit) AS units FROM bookings"
        " JOIN passengers ON passengers.booking_id = bookings.id"
        " JOIN seat_assignments AS seat ON seat.passenger_id = passengers.id"
        " WHERE bookings.status = 'CONFIRMED' GROUP BY bookings.pnr"
    )
    async with database.reading() as session:
        return {row.pnr: row.units for row in await session.execute(owned)}
