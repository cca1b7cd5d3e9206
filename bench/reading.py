"""What reading costs a core at the services layer: a search of 50 offers and a seat map, from PostgreSQL to rows.

No GraphQL, no HTTP. The limit is a statement that reads nothing: what each that is sent costs.
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import uvloop

from bench.laptop import folder
from bench.report import ROOT, figure, table
from core import clock
from core.db import Database
from core.embedded import EmbeddedPostgres
from core.keys import Keyring
from core.paging import paginate
from core.rows import Reader
from core.settings import asyncpg_url
from services import departures, itineraries, offers
from services.itineraries import FlightSearchInput, PassengersInput, Priced, SliceInput
from services.seats import Plans, SeatMap, seat_map

ROUNDS, TURNS = 15, 40
DAYS_AHEAD, OFFERS = 10, 50
SHAPE = (0, 0, "")

TAKEN = """
    INSERT INTO claims (slot_id, unit, status, hold_id, version, changed_at)
    SELECT slots.id, unit, 'BOOKED', gen_random_uuid(), nextval('claim_versions'), jetway_now()
    FROM slots JOIN layout_units USING (layout_id) WHERE slots.id = $1 AND row_number % 2 = 0
    RETURNING 1"""

LARGEST = """
    SELECT flights.slot_id, count(*) FROM flights JOIN slots ON slots.id = flights.slot_id
    JOIN layout_units USING (layout_id) WHERE local_date = $1
    GROUP BY 1 ORDER BY abs(count(*) - 240), 1 LIMIT 2"""

Turn = Callable[[], Awaitable[object]]


def measure() -> str:
    """Milliseconds of a core and of the clock for each, median of the rounds."""
    with folder() as place, EmbeddedPostgres(place / "postgres") as postgres:
        variables = {**os.environ, "DATABASE_URL": postgres.url()}
        for module in (["alembic", "upgrade", "head"], ["demo.loader"]):
            subprocess.run(
                [sys.executable, "-m", *module], cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL
            )
        rows = uvloop.run(rounds(postgres.url()))
    head = ("what", "ms of a core", "ms by the clock")
    return f"{table(head, rows)}\n\nMedian of {ROUNDS} rounds of {TURNS}, one after the other, in one process."


async def rounds(url: str) -> list[list[str]]:
    """Each thing that is read, turn by turn, in every round."""
    database = Database(asyncpg_url(url))
    try:
        turns = await things(database)
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
        for _ in range(ROUNDS):
            for name, turn in turns.items():
                took[name].append(await timed(turn))
    finally:
        await database.close()
    return [[name, *(figure(median(part)) for part in zip(*each, strict=True))] for name, each in took.items()]


async def timed(turn: Turn) -> tuple[float, float]:
    """Milliseconds of a core and of the clock for one turn, after one that does not count."""
    await turn()
    core, began = time.process_time(), time.perf_counter()
    for _ in range(TURNS):
        await turn()
    return (time.process_time() - core) * 1000 / TURNS, (time.perf_counter() - began) * 1000 / TURNS


async def things(database: Database) -> dict[str, Turn]:
    """What is measured, by name."""
    reader, plans, keyring = database.reader(), Plans(), Keyring((b"bench" * 8,))
    day = clock.now().date() + datetime.timedelta(days=DAYS_AHEAD)
    command = FlightSearchInput(
        slices=[SliceInput(origin="JFK", destination="LAX", date=day)], passengers=PassengersInput(adults=2)
    )
    (empty, seats), (half, _) = await reader.fetch(LARGEST, day)
    async with database.transaction() as session:
        taken = len(await session.fetch(TAKEN, half))
    return {
        f"search, {OFFERS} signed offers": lambda: page(reader, keyring, command),
        "search, none signed": lambda: itineraries.search(reader, command),
        "a flight by its id": lambda: departures.by_slots(reader, [empty]),
        f"a flight with its map of {seats} seats": lambda: flight_and_map(reader, plans, empty),
        f"the same, {taken} seats taken": lambda: flight_and_map(reader, plans, half),
        "limit: a statement that reads nothing": lambda: reader.fetch("SELECT 1"),
    }


async def page(reader: Reader, keyring: Keyring, command: FlightSearchInput) -> Sequence[Priced]:
    """The first page of a search, as the resolver makes it."""
    found = paginate(await itineraries.search(reader, command), lambda candidate: candidate.rank, OFFERS, None, SHAPE)
    expires_at = offers.expiry()
    return [edge.node.offered(keyring, expires_at) for edge in found.edges]


async def flight_and_map(reader: Reader, plans: Plans, slot_id: int) -> SeatMap | None:
    """What the contract's SeatMap asks for."""
    await departures.by_slots(reader, [slot_id])
    return await seat_map(reader, plans, slot_id)
