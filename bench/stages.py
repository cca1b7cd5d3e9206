"""The contract's operations in the order of a journey; what one leaves behind the next goes on with."""

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg

from bench.client import Connection, Unexpected, checked, request
from bench.laptop import Laptop
from bench.loop import LEAST, WARM, Once, Sample, closed
from bench.shop import Pair, Shop, addresses, booking, holding, key
from services.holds import Want
from services.holds.calls import TAKE, taken, taking
from services.holds.requests import Asking, Request
from services.holds.slots import Seating

TYPENAME = "{ __typename }"
BARE = "take_holds() alone"
LONGER = 2
"""How many times longer the slow operations of a purchase run, so that there are enough of them."""

Keep = Callable[[Any], object]
Step = tuple[bytes, Keep]
"""A request, and what to do with the data of its answer."""


def nothing(_: Any) -> None:
    """Keep nothing of an answer."""


@dataclass
class Purchases:
    """Where this round's journeys stand."""

    held: deque[tuple[Pair, Any]] = field(default_factory=deque)
    booked: deque[Any] = field(default_factory=deque)
    paid: list[Any] = field(default_factory=list)
    quoted: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def hold(self, pair: Pair, held: Any) -> None:
        """These seats are held."""
        self.held.append((pair, held))

    def pay(self, made: Any, payment: Any) -> None:
        """This booking is paid; raises Unexpected where the payment still waits."""
        if payment["status"] != "CAPTURED":
            raise Unexpected(str(payment))
        self.paid.append(made)

    def quote(self, made: Any, quote: Any) -> None:
        """This is the newest quote for the booking."""
        self.quoted[made["id"]] = made, quote


class Stages:
    """One round: every operation in turn, by the same clients."""

    def __init__(self, laptop: Laptop, shop: Shop, seconds: float) -> None:
        self.laptop = laptop
        self.shop = shop
        self.seconds = seconds
        self.purchases = Purchases()

    async def measure(self, clients: int) -> dict[str, Sample]:
        """Each operation's sample, by its name."""
        samples: dict[str, Sample] = {}
        async with connected(self.laptop, clients) as (connections, databases):
            for name, kind, steps, longer in self.all():
                once = [over_http(connection, steps, kind) for connection in connections]
                samples[name] = await closed(self.laptop, name, once, self.seconds * longer, least(name, clients))
                if name == "HoldSeats":
                    bare = [by_function(database, self.shop.bare) for database in databases]
                    samples[BARE] = await closed(self.laptop, BARE, bare, self.seconds)
        return samples

    def all(self) -> Iterator[tuple[str, str | None, Iterator[Step], int]]:
        """Name, type of the answer, requests, and how much longer than others, of each operation."""
        done = self.purchases
        yield TYPENAME, None, itertools.repeat((request(TYPENAME, {}), nothing)), 1
        yield "SearchFlights", None, self.searches(), 1
        yield "SeatMap", None, self.seat_maps(), 1
        yield "HoldSeats", "Hold", self.holds(), 1
        yield "ExtendHold", "Hold", self.extensions(list(done.held)), 1
        half = len(done.held) // 2
        given_back, done.held = list(done.held)[:half], deque(list(done.held)[half:])
        yield "ReleaseHold", "HoldReleased", self.releases(given_back), 1
        yield "CreateBooking", "Booking", self.bookings(), LONGER
        yield "PayBooking", "Payment", self.payments(), LONGER
        yield "BookingByPnr", None, self.look_ups(), 1
        yield "QuoteCancellation", "CancellationQuote", self.quotes(), 1
        yield "CancelBooking", "Booking", self.cancellations(), LONGER

    def searches(self) -> Iterator[Step]:
        """Over the busiest routes and some days."""
        chance = random.Random(1)
        while True:
            yield request("SearchFlights", {"input": chance.choice(self.shop.searches)}), nothing

    def seat_maps(self) -> Iterator[Step]:
        """Of flights from JFK to LAX."""
        chance = random.Random(2)
        while True:
            yield request("SeatMap", {"flightId": chance.choice(self.shop.pairs).flight_id}), nothing

    def holds(self) -> Iterator[Step]:
        """Of two seats each, on many flights."""
        while self.shop.pairs:
            pair = self.shop.pairs.popleft()
            yield request("HoldSeats", holding(pair)), partial(self.purchases.hold, pair)

    def extensions(self, held: Sequence[tuple[Pair, Any]]) -> Iterator[Step]:
        """Of every hold, once."""
        for _, hold in held:
            yield request("ExtendHold", {"input": {**owned(hold), "idempotencyKey": key()}}), nothing

    def releases(self, held: Sequence[tuple[Pair, Any]]) -> Iterator[Step]:
        """Of these holds."""
        for _, hold in held:
            yield request("ReleaseHold", {"input": owned(hold)}), nothing

    def bookings(self) -> Iterator[Step]:
        """Of the other holds, for two passengers each."""
        while self.purchases.held:
            pair, hold = self.purchases.held.popleft()
            yield (
                request("CreateBooking", booking(self.shop.offers[pair.slot_id], pair, hold)),
                self.purchases.booked.append,
            )

    def payments(self) -> Iterator[Step]:
        """Of the bookings, by a card that is good."""
        while self.purchases.booked:
            made = self.purchases.booked.popleft()
            paying = {"paymentMethod": "pm_card_visa", "idempotencyKey": key()}
            yield request("PayBooking", {"input": {**owned_booking(made), **paying}}), partial(self.purchases.pay, made)

    def look_ups(self) -> Iterator[Step]:
        """Of what was paid, each from another address."""
        for made, address in zip(itertools.cycle(self.purchases.paid), addresses(), strict=False):
            variables = {"pnr": made["pnr"], "lastName": "Lovelace"}
            yield request("BookingByPnr", variables, forwarded_for=address), nothing

    def quotes(self) -> Iterator[Step]:
        """For what was paid; the last one for a booking is the one that is used."""
        for made in itertools.cycle(self.purchases.paid):
            yield request("QuoteCancellation", {"input": owned_booking(made)}), partial(self.purchases.quote, made)

    def cancellations(self) -> Iterator[Step]:
        """As quoted, with the money back."""
        while self.purchases.quoted:
            _, (made, quote) = self.purchases.quoted.popitem()
            token = {"bookingToken": made["accessToken"], "quoteId": quote["id"]}
            yield request("CancelBooking", {"input": {**token, "idempotencyKey": key()}}), nothing


def least(name: str, clients: int) -> int:
    """How often an operation must be measured: enough holds, for one half to be booked and the other released."""
    return 2 * (LEAST + 2 * clients * WARM) if name == "HoldSeats" else LEAST


def owned(hold: Mapping[str, Any]) -> dict[str, Any]:
    """What proves that a hold is ours."""
    return {"holdId": hold["id"], "token": hold["token"]}


def owned_booking(made: Mapping[str, Any]) -> dict[str, Any]:
    """What proves that a booking is ours."""
    return {"bookingId": made["id"], "bookingToken": made["accessToken"]}


def over_http(connection: Connection, steps: Iterator[Step], kind: str | None) -> Once:
    """A client that sends the next request; what it makes of the answer does not count."""

    async def once() -> float | None:
        step = next(steps, None)
        if step is None:
            return None
        began = time.perf_counter()
        answer = await connection.send(step[0])
        took = time.perf_counter() - began
        step[1](checked(answer, kind))
        return took

    return once


def by_function(database: asyncpg.Connection, seats: deque[Pair]) -> Once:
    """A client that holds two seats by the function itself."""

    async def once() -> float | None:
        if not seats:
            return None
        pair = seats.popleft()
        began = time.perf_counter()
        (answer,) = taken(await database.fetch(TAKE, *taking([asked_for(pair)])))
        took = time.perf_counter() - began
        if answer.outcome != "PLACED":
            raise RuntimeError(f"take_holds answered {answer.outcome}")
        return took

    return once


def asked_for(pair: Pair) -> Request:
    """A guest's request for two seats."""
    seating = Seating(None, dict(zip(pair.seats, (0, 1), strict=True)), dict.fromkeys(pair.seats, "ECONOMY"))
    wants = [Want(slot_id=pair.slot_id, units=tuple(pair.seats))]
    return Request(Asking(None, "guest", "holdSeats", key(), 15), wants, {pair.slot_id: seating})


@asynccontextmanager
async def connected(
    laptop: Laptop, clients: int
) -> AsyncIterator[tuple[Sequence[Connection], Sequence[asyncpg.Connection]]]:
    """So many connections to the server and to its database."""
    async with AsyncExitStack() as stack:
        connections = [await Connection.open(laptop.port) for _ in range(clients)]
        for connection in connections:
            stack.callback(connection.close)
        databases = [await asyncpg.connect(laptop.database_url) for _ in range(clients)]
        for database in databases:
            stack.push_async_callback(database.close)
        yield connections, databases
