"""What the stories have in common: somebody searches, chooses seats, and says who travels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.fakes.clients import Client, key


@dataclass(frozen=True)
class Choice:
    """An offer, the flight it is for, and free seats side by side on it."""

    offer: dict[str, Any]
    flight_id: str
    seats: list[str]


def in_days(days: int) -> date:
    """A day of the demo's schedule, which covers the coming weeks."""
    return (datetime.now(UTC) + timedelta(days=days)).date()


async def search(client: Client, day: date, *, adults: int = 1, **more: Any) -> Any:
    """JFK to Los Angeles on that day."""
    return await client.ask(
        "SearchFlights",
        input={
            "slices": [{"origin": "JFK", "destination": "LAX", "date": day.isoformat()}],
            "passengers": {"adults": adults, **more},
            "cabin": "ECONOMY",
            "sort": "PRICE",
        },
    )


CHOSEN: dict[str, set[str]] = {}
"""The seats of each flight that somebody has chosen in this process. Its tests share one server, whose seat maps may be
some moments old for whoever has not written."""


async def choose(
    client: Client,
    day: date,
    *,
    seats: int = 1,
    family: str | None = None,
    skip: int = 0,
    alone: bool = False,
    on: str | None = None,
) -> Choice:
    """The cheapest offer (of a family) on a flight with so many free seats side by side; `skip` leaves some out.

    `alone` asks for a flight that nobody has chosen before, for tests that count everybody on it; `on` for that flight.
    """
    found = await search(client, day, adults=seats)
    for edge in found["edges"]:
        offer = edge["node"]
        if family is not None and family not in offer["fareFamily"]["name"]:
            continue
        flight_id = offer["slices"][0]["segments"][0]["flight"]["id"]
        if (alone and flight_id in CHOSEN) or (on and flight_id != on):
            continue
        together = free_runs(await client.ask("SeatMap", flightId=flight_id), seats)
        if len(together) > skip:
            CHOSEN.setdefault(flight_id, set()).update(together[skip])
            return Choice(offer, flight_id, together[skip])
    raise AssertionError("no flight has so many seats side by side")


def free_runs(flight: Any, size: int) -> list[list[str]]:
    """Runs of `size` free neighbours in ECONOMY without extra cost, from the back, which nobody has chosen yet."""
    runs: list[list[str]] = []
    chosen = CHOSEN.get(flight["id"], set())
    for cabin in flight["seatMap"]["cabins"]:
        if cabin["cabin"] != "ECONOMY":
            continue
        for row in reversed(cabin["rows"]):
            open_ = [s for s in row["seats"] if s["status"] == "AVAILABLE" and s["number"] not in chosen]
            free = [s for s in open_ if s["price"]["minorUnits"] == 0]
            run: list[dict[str, Any]] = []
            for seat in free:
                if run and ord(seat["column"]) != ord(run[-1]["column"]) + 1:
                    run = []
                run.append(seat)
                if len(run) == size:
                    runs.append([one["number"] for one in run])
                    run = []
    return runs


async def lacking(client: Client, flight_id: str) -> str:
    """A cabin that a flight does not have: which flight is chosen depends on the weekday."""
    flight = await client.ask("SeatMap", flightId=flight_id)
    return min({"FIRST", "BUSINESS", "PREMIUM_ECONOMY"} - {one["cabin"] for one in flight["seatMap"]["cabins"]})


def traveller(first: str, last: str, flight_id: str, seat: str) -> dict[str, Any]:
    """An adult in a seat."""
    return {
        "type": "ADULT",
        "firstName": first,
        "lastName": last,
        "dateOfBirth": "1990-12-10",
        "seats": [{"flightId": flight_id, "number": seat}],
    }


async def hold(client: Client, choice: Choice, minutes: int = 15) -> Any:
    """Hold the chosen seats."""
    wanted = [{"flightId": choice.flight_id, "seats": choice.seats}]
    return await client.do("HoldSeats", flights=wanted, minutes=minutes, idempotencyKey=key())


async def book(client: Client, choice: Choice, held: Any, *names: tuple[str, str]) -> Any:
    """Book what is held for people of those names. Nobody else has the address: declines of an address are counted."""
    return await client.do(
        "CreateBooking",
        offerId=choice.offer["id"],
        holdId=held["id"],
        holdToken=held["token"],
        idempotencyKey=key(),
        contact={"email": f"ada.{key()}@example.org", "phone": "+12025550143"},
        passengers=[
            traveller(first, last, choice.flight_id, seat)
            for (first, last), seat in zip(names, choice.seats, strict=True)
        ],
    )


async def pay(client: Client, booking: Any, method: str = "pm_card_visa", idempotency_key: str | None = None) -> Any:
    """Pay a booking, from a page that the bank can send the payer back to."""
    return await client.do(
        "PayBooking",
        bookingId=booking["id"],
        bookingToken=booking["accessToken"],
        paymentMethod=method,
        idempotencyKey=idempotency_key or key(),
        returnUrl=f"{client.url}/static/returned.html",
    )


def seat_statuses(flight: Any) -> dict[str, str]:
    """Every seat of a seat map and its status."""
    return {
        seat["number"]: seat["status"]
        for cabin in flight["seatMap"]["cabins"]
        for row in cabin["rows"]
        for seat in row["seats"]
    }


def assert_growing(versions: list[int]) -> None:
    """Versions only ever grow."""
    assert all(earlier < later for earlier, later in pairwise(versions)), versions
