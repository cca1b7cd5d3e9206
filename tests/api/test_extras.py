"""Staff look after extras, passengers' details are their owner's alone, and what docs/extras.md shows is valid."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from graphql import build_schema, parse, validate

from schema.build import schema
from tests.api.test_staff import signed_in
from tests.contracts.sources import ROOT
from tests.fakes.clients import Client, key
from tests.fakes.servers import Server
from tests.stories.journeys import Choice, choose, hold, in_days, traveller

DEFINE = """mutation ($input: DefineExtraInput!) { defineExtra(input: $input) {
    __typename ... on Problem { code } ... on InvalidInput { field }
    ... on CatalogueExtra { extra retired prices { minorUnits currency } } } }"""
PRICE = """mutation ($input: PriceExtraInput!) { priceExtra(input: $input) {
    __typename ... on Problem { code } ... on CatalogueExtra { prices { minorUnits currency } } } }"""
RETIRE = """mutation ($input: RetireExtraInput!) { retireExtra(input: $input) {
    __typename ... on Problem { code } ... on CatalogueExtra { retired } } }"""
STOCK = """mutation ($input: SetExtraStockInput!) { setExtraStock(input: $input) {
    __typename ... on Problem { code } ... on NotAuthorised { least }
    ... on ExtraStock { stock held sold left flight { id } } } }"""
OFFERED = "query ($id: ID!) { flight(id: $id) { extras { code left prices { minorUnits } } } }"
CREATE = """mutation ($input: CreateBookingInput!) { createBooking(input: $input) {
    __typename ... on Problem { code message } ... on Booking { id pnr accessToken
    passengers { id details { document { numberEndsWith issuingCountry } } } } } }"""
UPDATE = """mutation ($input: UpdatePassengerInput!) { updatePassenger(input: $input) {
    __typename ... on Problem { code } ... on InvalidInput { field }
    ... on Passenger { details { meal document { numberEndsWith } frequentFlyer { number } } } } }"""
BY_PNR = """query ($pnr: String!, $name: String!) { bookingByPnr(pnr: $pnr, lastName: $name) {
    passengers { details { meal } missing } } }"""
SHOWN = re.compile(r"```graphql\n(.*?)```", re.DOTALL)


@pytest.fixture
async def choice(server_url: str) -> Choice:
    """A flight with a free seat."""
    async with Client(server_url) as guest:
        return await choose(guest, in_days(20))


async def asked(client: Client, document: str, **variables: Any) -> Any:
    """The one field of an answer without errors."""
    answer = await client.post(document, variables)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def test_staff_define_price_count_and_retire(server: Server, choice: Choice) -> None:
    airline = choice.offer["slices"][0]["segments"][0]["flight"]["designator"][:2]
    code = f"SNACK-{uuid4().hex[:8].upper()}"
    named = {"airlineCode": airline, "code": code, "reason": "summer menu"}
    async with Client(server.url, await signed_in(server, "STAFF")) as staff:
        snack = {**named, "kind": "MEAL", "name": "Snack box", "stocked": True}
        assert await asked(staff, DEFINE, input=snack) == {
            "__typename": "CatalogueExtra",
            "extra": code,
            "retired": False,
            "prices": [],
        }
        priced = await asked(staff, PRICE, input={**named, "currency": "USD", "minorUnits": 750})
        assert priced["prices"] == [{"minorUnits": 750, "currency": "USD"}]
        counted = {"flightId": choice.flight_id, "code": code, "stock": 5, "reason": "five boxes"}
        assert await asked(staff, STOCK, input=counted) == {
            "__typename": "ExtraStock",
            "stock": 5,
            "held": 0,
            "sold": 0,
            "left": 5,
            "flight": {"id": choice.flight_id},
        }
        found = (await asked(staff, OFFERED, id=choice.flight_id))["extras"]
        assert {"code": code, "left": 5, "prices": [{"minorUnits": 750}]} in found
        assert (await asked(staff, RETIRE, input=named))["retired"] is True
        wrong = await asked(staff, DEFINE, input={**snack, "maxPerPassenger": 10})
        assert (wrong["code"], wrong["field"]) == ("INVALID_INPUT", "maxPerPassenger")
        unknown = await asked(staff, STOCK, input={**counted, "code": "SOFA"})
        assert unknown["code"] == "UNKNOWN_EXTRA"


async def test_nobody_else_does(server: Server, choice: Choice) -> None:
    named = {"airlineCode": "UA", "code": "BAG-23", "reason": "x"}
    asking = (
        (DEFINE, {**named, "kind": "BAG", "name": "Bag"}),
        (PRICE, {**named, "currency": "USD", "minorUnits": 1}),
        (RETIRE, named),
        (STOCK, {"flightId": choice.flight_id, "code": "MEAL-VGML", "stock": 0, "reason": "x"}),
    )
    for token, code in ((None, "UNAUTHENTICATED"), (await signed_in(server, "CUSTOMER"), "FORBIDDEN")):
        async with Client(server.url, token) as client:
            for document, input_ in asking:
                assert (await asked(client, document, input=input_))["code"] == code


async def test_details_are_the_owners_alone_and_numbers_nobodys(server_url: str, choice: Choice) -> None:
    person = traveller("Ada", "Byron", choice.flight_id, choice.seats[0])
    number = "X1234567"
    document = {"type": "PASSPORT", "number": number, "issuingCountry": "GB", "expiresOn": "2035-01-01"}
    async with Client(server_url) as ada, Client(server_url) as bob:
        held = await hold(ada, choice)
        booking = await asked(
            ada,
            CREATE,
            input={
                "offerId": choice.offer["id"],
                "holdId": held["id"],
                "holdToken": held["token"],
                "idempotencyKey": key(),
                "contact": {"email": "ada@example.org"},
                "passengers": [{**person, "details": {"document": document}}],
            },
        )
        (passenger,) = booking["passengers"]
        assert passenger["details"] == {"document": {"numberEndsWith": "4567", "issuingCountry": "GB"}}
        mine = {"bookingId": booking["id"], "bookingToken": booking["accessToken"], "passengerId": passenger["id"]}
        told = await asked(ada, UPDATE, input={**mine, "meal": "KSML"})
        assert told["details"] == {"meal": "KSML", "document": {"numberEndsWith": "4567"}, "frequentFlyer": None}
        taken_back = await asked(ada, UPDATE, input={**mine, "document": None})
        assert taken_back["details"]["document"] is None
        wrong = await asked(ada, UPDATE, input={**mine, "frequentFlyer": {"airlineCode": "UA", "number": "?"}})
        assert (wrong["code"], wrong["field"]) == ("INVALID_INPUT", "details.frequentFlyer.number")
        refused = await asked(bob, UPDATE, input={**mine, "bookingToken": None, "meal": None})
        assert refused["code"] == "NOT_FOUND"
        found = await asked(bob, BY_PNR, pnr=booking["pnr"], name="Byron")
        assert found["passengers"] == [{"details": None, "missing": None}]


def test_what_the_page_shows_is_valid() -> None:
    sdl = build_schema(schema.as_str())
    shown = SHOWN.findall((ROOT / "docs" / "extras.md").read_text())
    assert len(shown) >= 3
    assert [(one, errors) for one in shown if (errors := validate(sdl, parse(one)))] == []
