"""A family with a baby flies to Los Angeles with bags, the last vegan meal and priority; and changes its mind."""

from __future__ import annotations

from typing import Any

from tests.api.test_staff import signed_in
from tests.fakes.clients import Client, key
from tests.fakes.servers import Server
from tests.stories.journeys import Choice, free_runs, hold, in_days, pay, search, traveller

MEAL, BAG, PRIORITY = "MEAL-VGML", "BAG-23", "PRIORITY"

OFFERED = """
    query ($offerId: ID!) { extrasFor(offerId: $offerId) {
        includedBags flight { id } extras { code left prices { minorUnits } } } }
"""
STOCK = "query ($flightId: ID!) { extraStock(flightId: $flightId) { extra stock held sold left } }"
COOK = """
    mutation ($input: SetExtraStockInput!) { setExtraStock(input: $input) { ... on ExtraStock { left } } }
"""
CREATE = """
    mutation ($input: CreateBookingInput!) { createBooking(input: $input) {
        __typename
        ... on ExtraSoldOut { code extra left }
        ... on Booking {
            id accessToken status total { minorUnits } lines { kind amount { minorUnits } }
            passengers { id accompaniedBy { id } missing details { meal assistance } }
        }
    } }
"""
SEATS_HELD = """
    query ($id: ID!, $token: String) { hold(id: $id, token: $token) { flights { seats unassigned { quantity } } } }
"""
CABINS = "query ($flightId: ID!) { flightInventory(flightId: $flightId) { cabin } }"
BOOKING = """
    query ($id: ID!, $token: String!) { booking(id: $id, token: $token) {
        status total { minorUnits } passengers { extras { id code quantity status number } } } }
"""
QUOTE = """
    mutation ($input: QuoteChangeInput!) { quoteChange(input: $input) {
        __typename ... on Amendment { id due { minorUnits } changes { what after } }
        ... on Problem { code } ... on InvalidInput { field } } }
"""
CONFIRM = """
    mutation ($input: ConfirmChangeInput!) { confirmChange(input: $input) {
        __typename ... on Amendment { status } } }
"""


async def asked(client: Client, document: str, **variables: Any) -> Any:
    """The one field of an answer without errors."""
    answer = await client.post(document, variables)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def vegan(staff: Client, choice: Choice) -> dict[str, int]:
    """What the kitchen counts of vegan meals on the flight."""
    found = await asked(staff, STOCK, flightId=choice.flight_id)
    return next(one for one in found if one["extra"] == MEAL)


async def party(client: Client) -> Choice:
    """An offer for two adults, a child and an infant, and three seats for them."""
    day = in_days(16)
    for edge in (await search(client, day, adults=2, children=1, infants=1))["edges"]:
        offer = edge["node"]
        flight_id = offer["slices"][0]["segments"][0]["flight"]["id"]
        runs = free_runs(await client.ask("SeatMap", flightId=flight_id), 3)
        if runs:
            return Choice(offer, flight_id, runs[0])
    raise AssertionError("no flight has three seats side by side")


def family(choice: Choice) -> list[dict[str, Any]]:
    """Ada with the baby, Bob who is vegan, and Cy; two bags and priority between them."""
    flight_id = choice.flight_id
    names = zip(("Ada", "Bob", "Cy"), choice.seats, strict=True)
    ada, bob, cy = (traveller(name, "Ng", flight_id, seat) for name, seat in names)
    eve = {"type": "INFANT", "firstName": "Eve", "lastName": "Ng", "seats": [], "accompaniedBy": 1}
    ada["extras"] = [{"code": BAG, "flightId": flight_id, "quantity": 2}, {"code": PRIORITY, "flightId": flight_id}]
    bob["extras"] = [{"code": MEAL, "flightId": flight_id}]
    bob["details"] = {"meal": "VGML", "assistance": ["WCHR"]}
    cy |= {"type": "CHILD", "dateOfBirth": in_days(-8 * 365).isoformat()}
    return [ada, bob, cy, {**eve, "dateOfBirth": in_days(-200).isoformat()}]


def request(choice: Choice, held: Any, passengers: list[dict[str, Any]]) -> dict[str, Any]:
    """What createBooking is sent."""
    return {
        "offerId": choice.offer["id"],
        "holdId": held["id"],
        "holdToken": held["token"],
        "idempotencyKey": key(),
        "contact": {"email": "ada@example.org"},
        "passengers": passengers,
    }


async def test_a_family_packs_for_los_angeles(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url, await signed_in(server, "STAFF")) as staff:
        # Two weeks before: what may be had, and what the fare includes.
        choice = await party(ada)
        (offered,) = await asked(ada, OFFERED, offerId=choice.offer["id"])
        assert (offered["includedBags"], offered["flight"]["id"]) == (0, choice.flight_id)
        prices = {one["code"]: one["prices"][0]["minorUnits"] for one in offered["extras"]}
        assert {MEAL, BAG, PRIORITY, "INSURANCE"} <= prices.keys()

        # The kitchen has one vegan meal left.
        before = await vegan(staff, choice)
        sold = before["held"] + before["sold"]
        wanted = {"flightId": choice.flight_id, "code": MEAL, "stock": sold + 1, "reason": "a short week"}
        assert await asked(staff, COOK, input=wanted) == {"left": 1}

        # They book: the baby sits with Bob, and the meal is theirs while they look for the card.
        held = await hold(ada, choice)
        booking = await asked(ada, CREATE, input=request(choice, held, family(choice)))
        assert (booking["__typename"], booking["status"]) == ("Booking", "SEATS_LOCKED")
        people = booking["passengers"]
        assert [one["accompaniedBy"] for one in people] == [None, None, None, {"id": people[1]["id"]}]
        assert people[1]["details"] == {"meal": "VGML", "assistance": ["WCHR"]}
        assert [one["missing"] for one in people] == [[], [], [], []]
        beside = sum(line["amount"]["minorUnits"] for line in booking["lines"] if line["kind"] == "EXTRA")
        assert beside == 2 * prices[BAG] + prices[PRIORITY] + prices[MEAL]
        assert (await vegan(staff, choice))["left"] == 0
        kept = await asked(ada, SEATS_HELD, id=held["id"], token=held["token"])
        assert kept == {"flights": [{"seats": choice.seats, "unassigned": []}]}
        assert {"cabin": "ECONOMY"} in await asked(staff, CABINS, flightId=choice.flight_id)

        # Somebody else on that flight wants it, and is told; nothing of theirs is booked.
        async with Client(server.url) as dan:
            seats = free_runs(await dan.ask("SeatMap", flightId=choice.flight_id), 3)[0]
            late = Choice(choice.offer, choice.flight_id, seats)
            refused = await asked(dan, CREATE, input=request(late, await hold(dan, late), family(late)))
            assert refused == {"__typename": "ExtraSoldOut", "code": "EXTRA_SOLD_OUT", "extra": MEAL, "left": 0}

        # Paid: everything has a document of its own.
        paid = await pay(ada, booking)
        assert paid["status"] == "CAPTURED"
        found = await asked(ada, BOOKING, id=booking["id"], token=booking["accessToken"])
        had = [one for passenger in found["passengers"] for one in passenger["extras"]]
        assert {one["status"] for one in had} == {"ISSUED"}
        assert all(len(one["number"]) == 13 for one in had)

        # A week later Bob wants a bag as well.
        more = {"passengerId": people[1]["id"], "code": BAG, "flightId": choice.flight_id}
        mine = {"bookingId": booking["id"], "bookingToken": booking["accessToken"]}
        quote = await asked(ada, QUOTE, input={**mine, "extras": [more]})
        assert quote["due"] == {"minorUnits": prices[BAG]}
        confirmation = {"quoteId": quote["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        done = await asked(ada, CONFIRM, input={**confirmation, "paymentMethod": "pm_card_visa"})
        assert done == {"__typename": "Amendment", "status": "APPLIED"}
        found = await asked(ada, BOOKING, id=booking["id"], token=booking["accessToken"])
        assert found["total"]["minorUnits"] == booking["total"]["minorUnits"] + prices[BAG]
        assert [one["code"] for one in found["passengers"][1]["extras"]] == [MEAL, BAG]

        # Bob will eat at home: the meal alone is given up, and is anybody's. Nobody else can do that, nor he twice.
        unwanted = {**mine, "giveUpExtras": [found["passengers"][1]["extras"][0]["id"]]}
        async with Client(server.url) as dan:
            foreign = await asked(dan, QUOTE, input={**unwanted, "bookingToken": None})
        assert foreign == {"__typename": "NotFound", "code": "NOT_FOUND"}
        quote = await asked(ada, QUOTE, input=unwanted)
        assert (quote["due"], quote["changes"][0]["after"]) == ({"minorUnits": -prices[MEAL]}, "given up")
        done = await asked(ada, CONFIRM, input={**confirmation, "quoteId": quote["id"], "idempotencyKey": key()})
        assert done == {"__typename": "Amendment", "status": "APPLIED"}
        assert (await vegan(staff, choice))["left"] == 1
        again = await asked(ada, QUOTE, input=unwanted)
        assert again == {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "giveUpExtras"}
        found = await asked(ada, BOOKING, id=booking["id"], token=booking["accessToken"])
        assert [one["status"] for one in found["passengers"][1]["extras"]] == ["REFUNDED", "ISSUED"]
        assert found["total"]["minorUnits"] == booking["total"]["minorUnits"] + prices[BAG] - prices[MEAL]

        # They stay at home after all: within a day of booking everything comes back, and the meal is anybody's.
        cancelling = await ada.do("QuoteCancellation", **mine)
        assert cancelling["refund"]["minorUnits"] == found["total"]["minorUnits"]
        spent = {"quoteId": cancelling["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        assert (await ada.do("CancelBooking", **spent))["status"] == "CANCELLED"
        assert (await vegan(staff, choice))["left"] == 1
        found = await asked(ada, BOOKING, id=booking["id"], token=booking["accessToken"])
        assert {one["status"] for passenger in found["passengers"] for one in passenger["extras"]} == {"REFUNDED"}
