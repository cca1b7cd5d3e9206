"""Parts of a booking over HTTP: what may not be named is refused by its field, and a part is seen leaving, live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.ids import global_id, uuid7
from tests.fakes.clients import Client, key
from tests.fakes.streams import streaming
from tests.stories.journeys import book, choose, hold, in_days, pay

QUOTE = """
    mutation ($input: QuoteCancellationInput!) { quoteCancellation(input: $input) {
        __typename
        ... on CancellationQuote { id rule passengers { firstName } }
        ... on InvalidInput { code field }
        ... on Problem { code } } }
"""


@pytest.fixture
async def client(server_url: str) -> AsyncIterator[Client]:
    async with Client(server_url) as made:
        yield made


async def paid(client: Client, day: int) -> Any:
    """Two adults on a flight in so many days, paid."""
    choice = await choose(client, in_days(day), seats=2)
    booking = await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"), ("Bob", "Ng"))
    confirmed = (await pay(client, booking))["booking"]
    return {**booking, "passengers": confirmed["passengers"], "flight": choice.flight_id}


async def quoted(client: Client, booking: Any, **part: Any) -> Any:
    """The answer to a quote for a part of a booking."""
    mine = {"bookingId": booking["id"], "bookingToken": booking["accessToken"]}
    answer = await client.post(QUOTE, {"input": mine | part})
    assert "errors" not in answer, answer
    return answer["data"]["quoteCancellation"]


async def test_what_is_not_of_the_booking_is_refused_by_its_field(client: Client) -> None:
    booking, other = await paid(client, 17), await paid(client, 18)
    ada, bob = (one["id"] for one in booking["passengers"])
    stranger, elsewhere = other["passengers"][0]["id"], other["flight"]
    refusals = {
        "nobody": ({"passengerIds": []}, "INVALID_INPUT", "passengerIds"),
        "somebody of another booking": ({"passengerIds": [ada, stranger]}, "INVALID_INPUT", "passengerIds"),
        "nobody there is": ({"passengerIds": [global_id("Passenger", uuid7())]}, "INVALID_INPUT", "passengerIds"),
        "a booking for a passenger": ({"passengerIds": [booking["id"]]}, "INVALID_ID", "passengerIds"),
        "no flight": ({"flightIds": []}, "INVALID_INPUT", "flightIds"),
        "another flight": ({"flightIds": [elsewhere]}, "INVALID_INPUT", "flightIds"),
        "a passenger for a flight": ({"flightIds": [ada]}, "INVALID_ID", "flightIds"),
        "both": ({"passengerIds": [bob], "flightIds": [booking["flight"]]}, "INVALID_INPUT", "flightIds"),
    }
    for what, (part, code, field) in refusals.items():
        found = await quoted(client, booking, **part)
        assert (what, found) == (what, {"__typename": "InvalidInput", "code": code, "field": field})
    forged = await quoted(client, booking | {"accessToken": other["accessToken"]}, passengerIds=[bob])
    assert (forged["__typename"], forged["code"]) == ("Forbidden", "WRONG_TOKEN")


async def test_its_owner_sees_a_part_leave(client: Client) -> None:
    booking = await paid(client, 19)
    quote = await quoted(client, booking, passengerIds=[booking["passengers"][1]["id"]])
    assert quote["passengers"] == [{"firstName": "Bob"}]
    mine = {"bookingId": booking["id"], "token": booking["accessToken"]}
    async with streaming(client.url, "BookingProgress", **mine) as watcher:
        await watcher.next()
        used = {"quoteId": quote["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        assert (await client.do("CancelBooking", **used))["status"] == "CONFIRMED"
        happened: set[str] = set()
        while "refund.succeeded" not in happened:
            event = await watcher.next()
            happened |= set(event["happened"])
    assert {"booking.partly_cancelled", "ticket.refunded", "refund.requested"} <= happened
    assert event["booking"]["status"] == "CONFIRMED"
    assert await client.ask("BookingByPnr", pnr=booking["pnr"], lastName="Ng") is None
    assert (await client.ask("BookingByPnr", pnr=booking["pnr"], lastName="Lovelace"))["id"] == booking["id"]
