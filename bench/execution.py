"""What an answer costs to make of objects in memory: graphql-core through Strawberry, and compiled.

The types are as plain as Jetway's own, the objects are frozen dataclasses as its services return them; no database, no
network. Both executors run the same document on the same objects, turn by turn, in one process.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

import orjson
import strawberry
from strawberry.extensions import ParserCache, ValidationCache

from bench.report import figure, table
from engine.execution import CompilingExecutor, batched, by_class, pure

SEATS_IN_A_ROW = "ABCDEF"
ROWS = 40
OFFERS = 50


@strawberry.enum
class Status(Enum):
    """Whether a seat is free."""

    FREE = "free"
    TAKEN = "taken"


@dataclass(frozen=True)
class MoneyRow:
    """An amount."""

    minor_units: int
    currency: str = "USD"


@dataclass(frozen=True)
class SeatRow:
    """A seat."""

    number: str
    status: Status
    version: int
    accessible: bool
    price: MoneyRow | None


@dataclass(frozen=True)
class PlaceRow:
    """An airport."""

    code: str
    name: str


@dataclass(frozen=True)
class FlightRow:
    """A flight."""

    id: int
    designator: str
    origin: PlaceRow
    destination: PlaceRow
    departs_at: datetime
    arrives_at: datetime
    duration_minutes: int


@dataclass(frozen=True)
class OfferRow:
    """An offer."""

    token: str
    total: MoneyRow
    flights: Sequence[FlightRow]


def amount(root: strawberry.Parent[MoneyRow]) -> Decimal:
    """In major units."""
    return Decimal(root.minor_units) / 100


@strawberry.type
class Money:
    """An amount."""

    amount = strawberry.field(resolver=pure(amount), graphql_type=Decimal)
    minor_units: int
    currency: str


@strawberry.interface
class Node:
    """Something with an id."""

    id: strawberry.ID


@strawberry.type
class Seat:
    """A seat."""

    number: str
    status: Status
    version: int
    accessible: bool
    price: Money | None


@strawberry.type
class Place:
    """An airport."""

    code: str
    name: str


def flight_id(root: strawberry.Parent[FlightRow]) -> strawberry.ID:
    """An opaque id."""
    return strawberry.ID(f"Flight:{root.id}")


async def seats_left(root: strawberry.Parent[FlightRow]) -> int:
    """How many seats are left of one flight."""
    return root.id % 9


async def seats_left_of_all(roots: Sequence[FlightRow], _info: object) -> list[int]:
    """The same, of many."""
    return [root.id % 9 for root in roots]


@strawberry.type
class Flight(Node):
    """A flight."""

    is_type_of = by_class(FlightRow)

    id = strawberry.field(resolver=pure(flight_id), graphql_type=strawberry.ID)
    designator: str
    origin: Place
    destination: Place
    departs_at: datetime
    arrives_at: datetime
    duration_minutes: int
    seats_left = strawberry.field(resolver=batched(seats_left_of_all)(seats_left), graphql_type=int)


@strawberry.type
class Offer:
    """An offer."""

    token: str
    total: Money
    flights: list[Flight]


def seats() -> list[SeatRow]:
    """The seats of an aircraft, a third of them taken."""
    return [
        SeatRow(
            number=f"{row}{letter}",
            status=Status.TAKEN if (row * 7 + column) % 3 == 0 else Status.FREE,
            version=row * 31 + column,
            accessible=row < 3,
            price=MoneyRow(1900 + row) if column % 2 else None,
        )
        for row in range(1, ROWS + 1)
        for column, letter in enumerate(SEATS_IN_A_ROW)
    ]


def offers() -> list[OfferRow]:
    """Offers of two flights each."""
    places = [PlaceRow("JFK", "John F. Kennedy"), PlaceRow("ORD", "O'Hare"), PlaceRow("LAX", "Los Angeles")]
    leaves = datetime(2027, 3, 1, 6, tzinfo=UTC)
    first = FlightRow(1, "UA1545", places[0], places[1], leaves, leaves + timedelta(hours=2), 120)
    return [
        OfferRow(
            token=f"offer {index}",
            total=MoneyRow(19_900 + index),
            flights=(
                replace(first, id=index, departs_at=leaves + timedelta(minutes=index)),
                replace(first, id=index + OFFERS, origin=places[1], destination=places[2]),
            ),
        )
        for index in range(OFFERS)
    ]


SEATS, FOUND = seats(), offers()


@strawberry.type
class Query:
    """What is asked."""

    @strawberry.field
    async def seat_map(self) -> list[Seat]:
        """The seats."""
        return SEATS  # type: ignore[return-value]

    @strawberry.field
    async def search(self) -> list[Offer]:
        """The offers."""
        return FOUND  # type: ignore[return-value]


FLIGHT = "id designator departsAt arrivesAt durationMinutes origin { code name } destination { code name }"
DOCUMENTS = {
    "seat map of 240 seats": "{ seatMap { number status version accessible price { amount minorUnits currency } } }",
    "search of 50 offers": f"{{ search {{ token total {{ amount minorUnits currency }} flights {{ {FLIGHT} }} }} }}",
    "the same with a batch field": f"{{ search {{ token flights {{ {FLIGHT} seatsLeft }} }} }}",
    "one field": "{ __typename }",
}


def schema(executor: type[CompilingExecutor] | None) -> strawberry.Schema:
    """The schema, run by an executor."""
    known = [lambda: ParserCache(maxsize=10), lambda: ValidationCache(maxsize=10)]
    return strawberry.Schema(Query, execution_context_class=executor, extensions=known)


async def once(schema: strawberry.Schema, document: str) -> bytes:
    """One answer, as bytes."""
    result = await schema.execute(document)
    if result.errors:
        raise RuntimeError(f"{document}: {result.errors[0]}")
    return orjson.dumps(result.data)


async def times(schemas: Sequence[strawberry.Schema], document: str, turns: int) -> list[float]:
    """The median milliseconds of each schema, measured in turns. Raises RuntimeError where their answers differ."""
    if len({await once(one, document) for one in schemas for _ in range(3)}) != 1:
        raise RuntimeError(f"{document}: the answers differ")
    took: list[list[float]] = [[] for _ in schemas]
    for _ in range(turns):
        for one, into in zip(schemas, took, strict=True):
            began = time.perf_counter()
            await once(one, document)
            into.append((time.perf_counter() - began) * 1000)
    return [statistics.median(one) for one in took]


def measure(turns: int = 60) -> str:
    """The table."""
    schemas = [schema(None), schema(CompilingExecutor)]
    rows = []
    for name, document in DOCUMENTS.items():
        core, compiled = asyncio.run(times(schemas, document, turns))
        rows.append([name, figure(core), figure(compiled), f"{core / compiled:.1f}"])
    return table(["median of a whole operation, orjson included", "graphql-core, ms", "compiled, ms", "times"], rows)
