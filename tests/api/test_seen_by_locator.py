"""What whoever knows locator and last name sees of a booking. Every field stands on one of two lists: shown or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from graphql import GraphQLObjectType, build_schema, get_named_type

from schema.build import schema
from tests.fakes.clients import Client, key
from tests.fakes.servers import Server
from tests.stories.friends import split
from tests.stories.journeys import Choice, book, choose, hold, in_days, pay, traveller

SHOWN = {
    "Booking": "id pnr status expiresAt createdAt total lines passengers payments slices cancelledSlices extrasOffered",
    "Passenger": "id type title firstName lastName cancelledAt seats tickets accompaniedBy",
    "Payment": "id status amount refunded booking",
}
HIDDEN = {
    "Booking": "contact shares amendments timeline papers accessToken",
    "Passenger": "extras details missing",
    "Payment": "shareId refunds clientSecret redirectUrl retryAt declineCode deadline",
}
IMPERSONAL = {"Money", "PriceLine", "Slice", "FlightExtras", "SeatAssignment", "Ticket"}
"""What is shown whole: prices, flights, seats and tickets."""

AROUND = {"booking", "accompaniedBy"}
"""Ways back to what is walked anyway."""

CREATE = """mutation ($input: CreateBookingInput!) { createBooking(input: $input) {
    __typename ... on Problem { code message } ... on Booking { id pnr accessToken total { minorUnits } } } }"""

TYPES = build_schema(schema.as_str()).type_map


def fields_of(kind: str) -> Mapping[str, Any]:
    """The fields of an object type."""
    found: Mapping[str, Any] = cast("GraphQLObjectType", TYPES[kind]).fields
    return found


def selection(kind: str) -> str:
    """All fields of a walked type; of whatever else they lead to the type's name."""
    chosen = []
    for name, field in fields_of(kind).items():
        target = get_named_type(field.type)
        if not isinstance(target, GraphQLObjectType):
            chosen.append(name)
        elif target.name == "PriceLine":
            chosen.append(f"{name} {{ kind label amount {{ minorUnits }} }}")
        else:
            inner = selection(target.name) if target.name in SHOWN and name not in AROUND else "__typename"
            chosen.append(f"{name} {{ {inner} }}")
    return " ".join(chosen)


BY_PNR = f'query ($pnr: String!) {{ bookingByPnr(pnr: $pnr, lastName: "Lovelace") {{ {selection("Booking")} }} }}'
OWN = f"query ($id: ID!, $token: String) {{ booking(id: $id, token: $token) {{ {selection('Booking')} }} }}"


def told(booking: Any) -> set[str]:
    """Which of the hidden fields of a booking, its passengers and its payments say anything."""
    parts = [("Booking", booking)]
    parts += [("Passenger", one) for one in booking["passengers"]] + [("Payment", one) for one in booking["payments"]]
    return {f"{kind}.{name}" for kind, one in parts for name in HIDDEN[kind].split() if one[name] not in (None, [])}


@pytest.mark.parametrize("kind", SHOWN)
def test_every_field_is_on_a_list(kind: str) -> None:
    shown, hidden = SHOWN[kind].split(), HIDDEN[kind].split()
    assert sorted(fields_of(kind)) == sorted(shown + hidden)
    leads_to = {get_named_type(fields_of(kind)[name].type) for name in shown}
    objects = {one.name for one in leads_to if isinstance(one, GraphQLObjectType)}
    assert objects <= SHOWN.keys() | IMPERSONAL


async def with_meal_and_bag(client: Client) -> Any:
    """A guest's booking of one who eats vegan food and has a bag."""
    choice: Choice = await choose(client, in_days(31))
    held = await hold(client, choice)
    chosen = [{"code": code, "flightId": choice.flight_id} for code in ("MEAL-VGML", "BAG-23")]
    person = {**traveller("Ada", "Lovelace", choice.flight_id, choice.seats[0]), "extras": chosen}
    input_ = {
        "offerId": choice.offer["id"],
        "holdId": held["id"],
        "holdToken": held["token"],
        "idempotencyKey": key(),
        "contact": {"email": "ada@example.org"},
        "passengers": [person],
    }
    booking = (await client.post(CREATE, {"input": input_}))["data"]["createBooking"]
    assert booking["__typename"] == "Booking", booking
    return booking


async def both_views(server: Server, ada: Client, booking: Any) -> tuple[Any, Any]:
    """A booking as its owner sees it, and as somebody who knows locator and name."""
    async with Client(server.url) as bob:
        own = await ada.post(OWN, {"id": booking["id"], "token": booking["accessToken"]})
        found = await bob.post(BY_PNR, {"pnr": booking["pnr"]})
    assert ("errors" in own, "errors" in found) == (False, False), (own, found)
    return own["data"]["booking"], found["data"]["bookingByPnr"]


async def test_extras_have_no_names_and_shares_no_payers(server: Server) -> None:
    async with Client(server.url) as ada:
        booking = await with_meal_and_bag(ada)
        share = (await split(ada, booking, equally=2))["shares"][0]["id"]
        for method in ("pm_card_visa_chargeDeclined", "pm_card_visa"):
            paying = {"bookingId": booking["id"], "bookingToken": booking["accessToken"], "shareId": share}
            await ada.do("PayBooking", **paying, paymentMethod=method, idempotencyKey=key())
        own, found = await both_views(server, ada, booking)
    of_payments = {"Payment.shareId", "Payment.declineCode"}
    assert of_payments | {"Booking.contact", "Booking.shares", "Passenger.extras"} <= told(own)
    assert told(found) == set()
    assert [one["status"] for one in found["payments"]] == ["DECLINED", "AUTHORIZED"]
    assert not [word for word in ("egan", "23 kg", "insufficient", "example.org") if word in str(found)]
    extras = [line for line in found["lines"] if line["kind"] == "EXTRA"]
    assert extras == [{"kind": "EXTRA", "label": "Extras", "amount": {"minorUnits": 1_200 + 3_500}}]
    assert sum(line["amount"]["minorUnits"] for line in found["lines"]) == booking["total"]["minorUnits"]
    assert len([line for line in own["lines"] if line["kind"] == "EXTRA"]) == 2


async def test_nobody_else_sees_until_when_a_bank_is_waited_for(server: Server) -> None:
    async with Client(server.url) as ada:
        choice = await choose(ada, in_days(32))
        booking = await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelace"))
        await pay(ada, booking, "pm_usBankAccount_processing")
        own, found = await both_views(server, ada, booking)
    assert "Payment.deadline" in told(own)
    assert (told(found), [one["status"] for one in found["payments"]]) == (set(), ["PROCESSING"])


async def test_nobody_else_sees_what_goes_back(server: Server) -> None:
    async with Client(server.url) as ada:
        choice = await choose(ada, in_days(33))
        booking = await book(ada, choice, await hold(ada, choice), ("Ada", "Lovelace"))
        await pay(ada, booking)
        mine = {"bookingId": booking["id"], "bookingToken": booking["accessToken"]}
        quote = await ada.do("QuoteCancellation", **mine)
        spent = {"quoteId": quote["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        assert (await ada.do("CancelBooking", **spent))["status"] == "CANCELLED"
        own, found = await both_views(server, ada, booking)
    assert {"Payment.refunds", "Booking.timeline"} <= told(own)
    assert (told(found), found["status"]) == (set(), "CANCELLED")
