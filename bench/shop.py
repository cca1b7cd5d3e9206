"""What shoppers find in the demo's schedule: offers, free seats side by side, searches worth making.

All of it is put together before anything is measured. Randomness is seeded: two runs on one day do the same.
"""

from __future__ import annotations

import datetime
import itertools
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg

from bench.client import Connection
from core import clock
from core.ids import global_id, number_of

FLIGHT = "Flight"
FIRST_DAY, DAYS = 3, 10
"""The days from today that are travelled: near enough to be loaded, far enough not to have left."""

PAIRS = """
    SELECT flights.slot_id, array_agg(place.unit ORDER BY place.row_number, place.column_letter) AS units
    FROM flights
    JOIN slots ON slots.id = flights.slot_id
    JOIN layout_units place ON place.layout_id = slots.layout_id
    WHERE origin_code = $1 AND destination_code = $2 AND local_date BETWEEN $3 AND $4
      AND place.section = 'ECONOMY' AND NOT place.extra_legroom
    GROUP BY flights.slot_id ORDER BY flights.slot_id
"""

BUSIEST = """
    SELECT origin_code, destination_code FROM flights WHERE local_date BETWEEN $1 AND $2
    GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 10
"""


@dataclass(frozen=True)
class Pair:
    """Two seats of a flight."""

    slot_id: int
    seats: tuple[str, str]

    @property
    def flight_id(self) -> str:
        """The flight as clients name it."""
        return global_id(FLIGHT, self.slot_id)


@dataclass(frozen=True)
class Shop:
    """`offers` are for two adults, by slot; `pairs` can be held over HTTP, `bare` by the function itself."""

    offers: dict[int, str]
    pairs: deque[Pair]
    bare: deque[Pair]
    searches: Sequence[dict[str, Any]]


async def stock(connection: Connection, database: asyncpg.Connection) -> Shop:
    """Look around."""
    days = [clock.now().date() + datetime.timedelta(days=FIRST_DAY + day) for day in range(DAYS)]
    offers: dict[int, str] = {}
    for day in days:
        found = await connection.ask("SearchFlights", input=search("JFK", "LAX", day), first=100)
        offers |= {
            slot_of(edge["node"]): edge["node"]["id"] for edge in found["edges"] if can_be_refunded(edge["node"])
        }
    routes = await database.fetch(BUSIEST, days[0], days[-1])
    return Shop(
        offers=offers,
        pairs=deque(pair for pair in await pairs(database, "JFK", "LAX", days) if pair.slot_id in offers),
        bare=deque(await pairs(database, "JFK", "SFO", days)),
        searches=[search(origin, destination, day) for origin, destination in routes for day in days],
    )


def search(origin: str, destination: str, day: datetime.date) -> dict[str, Any]:
    """The search of the contract's example."""
    return {
        "slices": [{"origin": origin, "destination": destination, "date": day.isoformat()}],
        "passengers": {"adults": 2, "children": 0, "infants": 0},
        "cabin": "ECONOMY",
        "filters": {"maxStops": 0},
        "sort": "PRICE",
    }


def can_be_refunded(offer: dict[str, Any]) -> bool:
    """Whether cancelling it gives money back, which is what costs most."""
    return bool(offer["fareFamily"]["refundable"])


def slot_of(offer: dict[str, Any]) -> int:
    """The slot of a direct offer."""
    return number_of(FLIGHT, offer["slices"][0]["segments"][0]["flight"]["id"])


async def pairs(
    database: asyncpg.Connection, origin: str, destination: str, days: Sequence[datetime.date]
) -> list[Pair]:
    """Every two neighbours in a layout, of all flights of a route, in no order."""
    found = [
        Pair(row["slot_id"], (left, right))
        for row in await database.fetch(PAIRS, origin, destination, days[0], days[-1])
        for left, right in zip(row["units"][::2], row["units"][1::2], strict=False)
    ]
    random.Random(7).shuffle(found)
    return found


def key() -> str:
    """A guest's idempotency key."""
    return str(uuid4())


def addresses() -> Iterator[str]:
    """Addresses of clients, each another: look-ups by locator are limited by them."""
    return (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))


def holding(pair: Pair) -> dict[str, Any]:
    """The variables of HoldSeats."""
    flights = [{"flightId": pair.flight_id, "seats": pair.seats}]
    return {"input": {"flights": flights, "minutes": 15, "idempotencyKey": key()}}


def booking(offer: str, pair: Pair, held: dict[str, Any]) -> dict[str, Any]:
    """The variables of CreateBooking."""
    return {
        "input": {
            "offerId": offer,
            "holdId": held["id"],
            "holdToken": held["token"],
            "idempotencyKey": key(),
            "contact": {"email": "ada@example.org", "phone": "+12025550143"},
            "passengers": [
                {
                    "type": "ADULT",
                    "title": "MS",
                    "firstName": name,
                    "lastName": "Lovelace",
                    "dateOfBirth": "1990-12-10",
                    "seats": [{"flightId": pair.flight_id, "number": seat}],
                }
                for name, seat in zip(("Ada", "Anne"), pair.seats, strict=True)
            ],
        }
    }
