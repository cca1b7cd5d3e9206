"""Ada takes a later flight than she had booked, pays the difference when her bank has asked her, and mends her name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.fakes.clients import Client, key
from tests.fakes.streams import streaming
from tests.stories.journeys import Choice, book, free_runs, hold, in_days, pay, seat_statuses

CHANGES = (Path(__file__).parents[2] / "docs" / "contract" / "changes.graphql").read_text()
CARD = "pm_card_threeDSecure2Required"


async def send(client: Client, operation: str, **variables: Any) -> Any:
    """The data of one of the operations that change bookings."""
    answer = await client.post(CHANGES, variables, operation)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def find(client: Client, family: str, but: str | None = None) -> Choice:
    """A seat on the first flight, in five days, that is sold in a fare of that name and has one; `but` is another."""
    found = await client.ask(
        "SearchFlights",
        input={
            "slices": [{"origin": "JFK", "destination": "LAX", "date": in_days(5).isoformat()}],
            "passengers": {"adults": 1},
            "cabin": "ECONOMY",
            "sort": "DEPARTURE",
        },
    )
    for edge in found["edges"]:
        offer = edge["node"]
        flight_id = offer["slices"][0]["segments"][0]["flight"]["id"]
        if flight_id != but and family in offer["fareFamily"]["name"]:
            seats = free_runs(await client.ask("SeatMap", flightId=flight_id), 1)
            if seats:
                return Choice(offer, flight_id, seats[0])
    raise AssertionError("no flight has a seat")


async def test_a_traveller_changes_her_mind(server_url: str) -> None:
    async with Client(server_url) as ada, httpx.AsyncClient(timeout=30) as bank:
        choice = await find(ada, "Main")
        booking = await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelase"))
        assert (await pay(ada, booking))["status"] == "CAPTURED"
        mine = {"id": booking["id"], "token": booking["accessToken"]}
        before = await send(ada, "BookingToChange", **mine)
        (passenger,) = before["passengers"]

        # The other flight is held like any other, and quoted: what it costs more, and the fee of her fare.
        later = await find(ada, "Flex", but=choice.flight_id)
        held = await hold(ada, later)
        wish = {
            "offerId": later.offer["id"],
            "holdId": held["id"],
            "holdToken": held["token"],
            "seats": [{"passengerId": passenger["id"], "flightId": later.flight_id, "number": later.seats[0]}],
        }
        owned = {"bookingId": booking["id"], "bookingToken": booking["accessToken"]}
        quote = await send(ada, "QuoteChange", input={**owned, "flights": wish})
        assert (quote["__typename"], quote["status"], quote["kind"]) == ("Amendment", "QUOTED", "FLIGHT")
        price = later.offer["total"]["minorUnits"]
        assert quote["difference"]["minorUnits"] == price - before["total"]["minorUnits"]
        assert quote["penalty"]["minorUnits"] == 50_00
        assert quote["due"]["minorUnits"] == quote["difference"]["minorUnits"] + 50_00 > 0

        # Somebody else can do nothing with the quote.
        confirmation = {"quoteId": quote["id"], "paymentMethod": CARD, "idempotencyKey": key()}
        stranger = await send(ada, "ConfirmChange", input=confirmation)
        assert (stranger["__typename"], stranger["code"]) == ("NotFound", "NOT_FOUND")

        # Her bank asks first; until she has answered, she is booked as before.
        confirmation |= {"bookingToken": booking["accessToken"], "returnUrl": f"{ada.url}/static/returned.html"}
        waiting = await send(ada, "ConfirmChange", input=confirmation)
        assert (waiting["status"], waiting["payment"]["status"]) == ("PAYMENT_PENDING", "REQUIRES_ACTION")
        assert waiting["booking"]["total"] == {"minorUnits": before["total"]["minorUnits"]}
        await bank.post(waiting["payment"]["redirectUrl"], data={"outcome": "complete"})
        changed = await send(ada, "ConfirmChange", input=confirmation)
        assert (changed["status"], changed["payment"]["status"]) == ("APPLIED", "CAPTURED")
        assert changed["booking"] == {"id": booking["id"], "status": "CONFIRMED", "total": {"minorUnits": price}}
        assert seat_statuses(await ada.ask("SeatMap", flightId=choice.flight_id))[choice.seats[0]] == "AVAILABLE"
        assert seat_statuses(await ada.ask("SeatMap", flightId=later.flight_id))[later.seats[0]] == "BOOKED"

        # Her name was misspelt: a letter is mended for nothing, and her ticket with it.
        name = {"passengerId": passenger["id"], "lastName": "Lovelace"}
        mended = await send(ada, "QuoteChange", input={**owned, "name": name})
        assert mended["due"]["minorUnits"] == 0
        assert mended["changes"] == [{"what": "name", "before": "Ada Lovelase", "after": "Ada Lovelace"}]
        free = {"quoteId": mended["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        watched = {"bookingId": booking["id"], "token": booking["accessToken"]}
        async with streaming(server_url, "BookingProgress", **watched) as phone:
            await phone.next()
            assert (await send(ada, "ConfirmChange", input=free))["status"] == "APPLIED"
            happened: set[str] = set()
            while "booking.changed" not in happened:
                happened |= set((await phone.next())["happened"])
            assert {"ticket.exchanged", "ticket.issued", "amendment.applied"} <= happened

        # Another person does not fly in her place, nor is a quote used twice.
        other = {"passengerId": passenger["id"], "firstName": "Grace", "lastName": "Hopper"}
        assert (await send(ada, "QuoteChange", input={**owned, "name": other}))["code"] == "NAME_CHANGE_TOO_LARGE"
        again = await send(ada, "ConfirmChange", input={**free, "idempotencyKey": key()})
        assert (again["__typename"], again["code"]) == ("QuoteExpired", "QUOTE_SPENT")

        after = await send(ada, "BookingToChange", **mine)
        assert after["passengers"][0]["lastName"] == "Lovelace"
        tickets = after["passengers"][0]["tickets"]
        assert sorted(one["status"] for one in tickets) == ["EXCHANGED", "EXCHANGED", "OPEN"]
        assert [one["status"] for one in after["amendments"]] == ["APPLIED", "APPLIED"]
        told = [(one["subject"], one["to"]) for one in after["timeline"] if one["subject"] == "AMENDMENT"]
        assert told == [
            ("AMENDMENT", "QUOTED"),
            ("AMENDMENT", "PAYMENT_PENDING"),
            ("AMENDMENT", "APPLIED"),
            ("AMENDMENT", "QUOTED"),
            ("AMENDMENT", "APPLIED"),
        ]
        # By locator and name anybody sees where she flies, and not what she changed.
        seen = await ada.post(
            'query($pnr: String!) { bookingByPnr(pnr: $pnr, lastName: "Lovelace") { amendments { id } } }',
            {"pnr": booking["pnr"]},
        )
        assert seen["data"] == {"bookingByPnr": {"amendments": None}}
