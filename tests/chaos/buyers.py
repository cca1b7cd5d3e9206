"""Somebody who holds, extends, releases, books, pays and cancels, over HTTP, and remembers every word that was said.

Each request goes to any of the servers. Now and then a buyer hangs up before the answer comes, or walks away. A reply
that was lost is asked for again with the same key, as a client should; what is still unknown when all is over is asked
for then.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx

from tests.chaos.histories import Deed, History, Unit, told
from tests.fakes.clients import DOCUMENTS, key
from tests.stories.journeys import traveller

PATIENCE = 6.0
"""Seconds after which a buyer takes an answer for lost."""

TRIES = 6
"""How often a buyer asks again before something else is tried; the last word is asked for in the end."""

HANGS_UP = 0.03
COMES_AGAIN = 0.1
WALKS_AWAY = 0.05
"""How likely an answer is not waited for, asked for again though it came, or not asked for again before the end."""

MAKES_ROOM = 0.2
"""How likely a booking is cancelled when its buyer gets no other."""

SUCCESS = {
    "hold": "Hold",
    "extend": "Hold",
    "release": "HoldReleased",
    "book": "Booking",
    "pay": "Payment",
    "cancel": "Booking",
}
BECOMES = {"pay": "CONFIRMED", "cancel": "CANCELLED"}
MONEY_TAKEN = ("CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED")
CARDS = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_visa_chargeDeclined")
STATUS = "query BookingStatus($id: ID!, $token: String) { booking(id: $id, token: $token) { id status } }"


class Lost(Exception):
    """Nobody knows what came of it. The message says how the answer was lost."""


@dataclass(frozen=True)
class Market:
    """What can be bought: where, on which day, and the seats of each flight by cabin."""

    urls: Sequence[str]
    day: date
    seats: dict[str, dict[str, list[str]]]


@dataclass
class Promise:
    """A booking, and what its buyer was told of it. `status` is what it must be in the end, None: anything unpaid."""

    id: str
    token: str
    hold: str
    units: Sequence[Unit]
    deadline: str | None
    status: str | None = None


@dataclass(eq=False)
class Buyer:
    """One of them. `surprises` are answers that nobody may ever get."""

    name: str
    market: Market
    history: History
    dice: random.Random
    over: asyncio.Event
    careless: bool = True
    promises: list[Promise] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    unknown: list[tuple[Deed, str, dict[str, Any]]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def shop(self) -> None:
        """One journey after another, until it is over."""
        while not self.over.is_set():
            await self.journey()

    async def journey(self) -> None:
        """Hold some seats, and do with them what the dice say."""
        flight, cabin = self.dice.choice(list(self.market.seats)), self.dice.choice(["ECONOMY", "ECONOMY", "FIRST"])
        if self.dice.random() < 0.4:
            await self.look(flight)
        units = [
            (flight, seat) for seat in self.dice.sample(self.market.seats[flight][cabin], self.dice.choice([1, 2]))
        ]
        bookable = self.dice.random() < 0.6
        if not bookable and self.dice.random() < 0.5:
            other = self.dice.choice([one for one in self.market.seats if one != flight])
            units.append((other, self.dice.choice(self.market.seats[other][cabin])))
        held = await self.hold(units)
        if held is None:
            await self.make_room()
            return
        hold_key, hold = held
        for _ in range(self.dice.choice([0, 0, 1, 2, 3])):
            await asyncio.sleep(self.dice.choice([0.0, 0.1, 1.0]))
            hold = await self.extend(hold_key, units, hold)
        if bookable:
            await self.buy(hold_key, units, hold, cabin)
        elif self.dice.random() < 0.7:
            await self.release(hold_key, units, hold)

    async def look(self, flight: str) -> dict[str, str]:
        """See the seats of a flight; empty where the answer was lost."""
        units = [(flight, seat) for cabin in self.market.seats[flight].values() for seat in cabin]
        deed = self.history.begin(self.name, "look", units)
        try:
            answer = await self.ask("SeatMap", {"flightId": flight})
        except Lost:
            return {}
        cabins = answer["seatMap"]["cabins"]
        seats = [seat for cabin in cabins for row in cabin["rows"] for seat in row["seats"]]
        deed.seen = {(flight, seat["number"]): (seat["status"], seat["version"]) for seat in seats}
        self.history.answered(deed, "ok")
        return {seat["number"]: seat["status"] for seat in seats}

    async def hold(self, units: Sequence[Unit], minutes: int = 0) -> tuple[str, Any] | None:
        """Hold seats; the key, which names the hold from the start, and the hold. None where there is none."""
        minutes, hold_key = minutes or self.dice.randint(5, 15), key()
        flights = sorted({flight for flight, _ in units})
        wanted = [{"flightId": one, "seats": [seat for flight, seat in units if flight == one]} for one in flights]
        deed = self.history.begin(self.name, "hold", units, hold_key, lasts=minutes * 60 / self.history.clock.speed)
        asked = {"flights": wanted, "minutes": minutes, "idempotencyKey": hold_key}
        hold = await self.do(deed, "HoldSeats", asked)
        return None if hold is None else (hold_key, hold)

    async def extend(self, hold_key: str, units: Sequence[Unit], hold: Any) -> Any:
        """Move its deadline; the hold as it is then, with no deadline where nobody knows."""
        deed = self.history.begin(self.name, "extend", units, hold_key)
        extended = await self.do(deed, "ExtendHold", {**proof(hold), "idempotencyKey": key()})
        if extended is not None:
            return {**hold, "expiresAt": extended["expiresAt"]}
        return hold if deed.outcome is not None else {**hold, "expiresAt": None}

    async def release(self, hold_key: str, units: Sequence[Unit], hold: Any) -> None:
        """Give the seats back."""
        deed = self.history.begin(self.name, "release", units, hold_key)
        if await self.do(deed, "ReleaseHold", proof(hold)) is not None:
            self.released.append(hold["id"])

    async def buy(self, hold_key: str, units: Sequence[Unit], hold: Any, cabin: str) -> None:
        """Book what is held, pay it, and now and then cancel what could not be paid."""
        promise = await self.book(hold_key, units, hold, cabin)
        if promise is None:
            return
        if self.dice.random() < 0.9:
            for _ in range(2):
                if promise.status is None and await self.pay(promise, self.dice.choice(CARDS)) != "PAYMENT_DECLINED":
                    break
        if promise.status is None and self.dice.random() < 0.3:
            await self.cancel(promise)

    async def make_room(self) -> None:
        """Nothing was to be had: now and then cancel what was bought before, so that something is."""
        bought = [one for one in self.promises if one.status == "CONFIRMED"]
        if bought and self.dice.random() < MAKES_ROOM:
            await self.cancel(bought[0])
        await asyncio.sleep(self.dice.uniform(0, 0.1))

    async def book(self, hold_key: str, units: Sequence[Unit], hold: Any, cabin: str) -> Promise | None:
        """Make the hold a booking."""
        offer = await self.offer(units[0][0], cabin, len(units))
        if offer is None:
            return None
        deed = self.history.begin(self.name, "book", units, hold_key)
        asked = {
            "offerId": offer,
            "holdId": hold["id"],
            "holdToken": hold["token"],
            "idempotencyKey": key(),
            "contact": {"email": "ada@example.org", "phone": "+12025550143"},
            "passengers": [traveller("Ada", "Lovelace", *unit) for unit in units],
        }
        booking = await self.do(deed, "CreateBooking", asked)
        if booking is None:
            return None
        promise = Promise(booking["id"], booking["accessToken"], hold_key, units, hold["expiresAt"])
        self.promises.append(promise)
        return promise

    async def offer(self, flight: str, cabin: str, adults: int) -> str | None:
        """An offer for that flight and so many; None where there is none, or the answer was lost."""
        slices = [{"origin": "JFK", "destination": "LAX", "date": self.market.day.isoformat()}]
        try:
            found = await self.ask(
                "SearchFlights", {"input": {"slices": slices, "passengers": {"adults": adults}, "cabin": cabin}}
            )
        except Lost:
            return None
        offers = [edge["node"] for edge in found["edges"]]
        fit = [one["id"] for one in offers if one["slices"][0]["segments"][0]["flight"]["id"] == flight]
        return self.dice.choice(fit) if fit else None

    async def pay(self, promise: Promise, card: str) -> str | None:
        """Pay a booking; what became of it, None where nobody knows."""
        deed = self.history.begin(self.name, "pay", promise.units, promise.hold)
        if promise.deadline is not None:
            deed.deadline = self.history.clock.deadline(promise.deadline)
        asked = {
            "bookingId": promise.id,
            "bookingToken": promise.token,
            "paymentMethod": card,
            "idempotencyKey": key(),
        }
        await self.do(deed, "PayBooking", asked)
        return deed.outcome

    async def cancel(self, promise: Promise) -> None:
        """Cancel a booking on the terms of a quote."""
        asked = {"bookingId": promise.id, "bookingToken": promise.token}
        try:
            quote = await self.ask("QuoteCancellation", {"input": asked})
        except Lost:
            return
        if quote["__typename"] != "CancellationQuote":
            self.outcomes[f"quote: {told(quote)}"] += 1
            return
        deed = self.history.begin(self.name, "cancel", promise.units, promise.hold)
        wanted = {"quoteId": quote["id"], "bookingToken": promise.token, "idempotencyKey": key()}
        await self.do(deed, "CancelBooking", wanted)

    async def do(self, deed: Deed, operation: str, asked: dict[str, Any], *, final: bool = False) -> Any:
        """Ask until there is an answer; None where it is a refusal, or still unknown after so many tries."""
        lost = False
        for _ in range(TRIES):
            begun = self.history.clock.now()
            try:
                answer = await self.ask(operation, {"input": asked})
            except Lost:
                lost = True
                if self.careless and deed.what == "hold" and self.dice.random() < WALKS_AWAY:
                    self.outcomes["walked away"] += 1
                    break
                await asyncio.sleep(self.dice.uniform(0.05, 0.5))
                continue
            if self.hear(deed, answer, begun, final=final or not lost, late=final):
                await self.come_again(operation, asked, answer)
                return answer
            if deed.outcome is not None or deed.what == "hold":
                break
            await asyncio.sleep(self.dice.uniform(0.05, 0.5))
        if deed.outcome is None:
            self.unknown.append((deed, operation, asked))
        return None

    def hear(self, deed: Deed, answer: Any, begun: float, *, final: bool, late: bool) -> bool:
        """Remember an answer; whether it is the good one. `final`: no attempt can still happen after a refusal."""
        if answer["__typename"] == SUCCESS[deed.what]:
            return self.hear_good(deed, answer, late=late)
        code = told(answer)
        self.outcomes[f"{deed.what}: {code}"] += 1
        if deed.what == "pay":
            self.history.answered(deed, code)
        else:
            taken = [(one["flightId"], seat) for one in answer.get("taken", ()) for seat in one["seats"]]
            self.history.refused(deed, begun, code, taken, final=final or deed.what != "hold")
        return False

    def hear_good(self, deed: Deed, answer: Any, *, late: bool) -> bool:
        """It was done; False for a payment that is not decided yet.

        A hold is told as it is now. Long after it was extended that may be another deadline than the one it got.
        """
        if deed.what == "pay" and answer["status"] not in MONEY_TAKEN:
            self.outcomes[f"pay: {answer['status']}"] += 1
            return False
        tells = deed.what == "hold" or (deed.what == "extend" and not late)
        self.history.answered(deed, "PAID" if deed.what == "pay" else "ok", answer["expiresAt"] if tells else None)
        self.outcomes[f"{deed.what}: ok"] += 1
        for promise in self.promises:
            if promise.hold == deed.hold and promise.status != "CANCELLED" and deed.what in BECOMES:
                promise.status = BECOMES[deed.what]
        return True

    async def come_again(self, operation: str, asked: dict[str, Any], answer: Any) -> None:
        """Now and then ask again for what was answered already: the same key, the same thing."""
        if not self.careless or "idempotencyKey" not in asked or self.dice.random() >= COMES_AGAIN:
            return
        try:
            again = await self.ask(operation, {"input": asked})
        except Lost:
            return
        self.outcomes["came again"] += 1
        if again.get("id") != answer["id"]:
            self.surprises.append(f"{operation} with one key: first {answer}, then {again}")

    async def ask(self, operation: str, variables: dict[str, Any], document: str = DOCUMENTS) -> Any:
        """One attempt, at any server; what the root field says. Raises Lost."""
        begun, answer = self.history.clock.now(), None
        hangs_up = self.careless and self.dice.random() < HANGS_UP
        body = {"query": document, "variables": variables, "operationName": operation}
        url = f"{self.dice.choice(self.market.urls)}/graphql"
        try:
            async with asyncio.timeout(self.dice.uniform(0.001, 0.05) if hangs_up else 2 * PATIENCE):
                answer = self.read(operation, await self._http.post(url, json=body))
        except (httpx.TransportError, TimeoutError) as error:
            raise self.lose("hung up" if hangs_up else type(error).__name__) from error
        finally:
            self.history.note(self.name, begun, operation, variables, answer)
        return answer

    def read(self, operation: str, response: httpx.Response) -> Any:
        """The root field's value; raises Lost where there is none."""
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise self.lose(f"status {response.status_code}")
        answer = response.json()
        for error in answer.get("errors", ()):
            code = error["extensions"]["code"]
            if code != "UNAVAILABLE":
                self.surprises.append(f"{operation}: {error}")
            raise self.lose(code)
        (value,) = answer["data"].values()
        if value is not None and value.get("code") == "UNAVAILABLE":
            raise self.lose("UNAVAILABLE")
        return value

    def lose(self, how: str) -> Lost:
        """A reply was lost."""
        self.losses[how] += 1
        return Lost(how)

    async def settle_unknown(self) -> None:
        """When all is calm again: ask once more about everything that is still unknown, with the same keys."""
        self.careless = False
        unknown, self.unknown = self.unknown, []
        for deed, operation, asked in unknown:
            await self.do(deed, operation, asked, final=True)
        self.surprises += [f"nobody tells what came of {asked}" for _, _, asked in self.unknown]

    async def last_words(self) -> None:
        """Each booking is what its buyer was told."""
        for promise in self.promises:
            booking = await self.ask("BookingStatus", {"id": promise.id, "token": promise.token}, STATUS)
            status = booking["status"]
            if not agrees(promise, status):
                self.surprises.append(f"booking {promise.id} is {status}; its buyer was told {promise.status}")


def agrees(promise: Promise, status: str) -> bool:
    """Whether a booking is what its buyer was told. What was neither paid nor cancelled is anything but confirmed."""
    return status == promise.status if promise.status else status not in ("CONFIRMED", "CANCELLED")


def proof(hold: Any) -> dict[str, str]:
    """What shows that a hold is ours."""
    return {"holdId": hold["id"], "token": hold["token"]}
