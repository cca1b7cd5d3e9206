"""What the issue of the first flight says must be refused, as a client sees it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.ids import global_id
from tests.fakes.clients import DOCUMENTS, Client, key, watching
from tests.stories.journeys import Choice, book, choose, hold, in_days, pay, seat_statuses, traveller


@pytest.fixture
async def client(server_url: str) -> AsyncIterator[Client]:
    async with Client(server_url) as guest:
        yield guest


def searching(**changes: Any) -> dict[str, Any]:
    slice_ = {"origin": "JFK", "destination": "LAX", "date": in_days(14).isoformat()}
    passengers = {"adults": 1, "children": 0, "infants": 0}
    for name, value in changes.items():
        (slice_ if name in slice_ else passengers)[name] = value
    return {"slices": [slice_], "passengers": passengers}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"origin": "XXX"}, "UNKNOWN_AIRPORT", "slices.0.origin"),
        ({"destination": "jfk"}, "INVALID_INPUT", "slices.0.destination"),
        ({"date": (in_days(0) - timedelta(days=2)).isoformat()}, "INVALID_INPUT", "slices.0.date"),
        ({"date": (in_days(0) + timedelta(days=400)).isoformat()}, "BEYOND_SCHEDULE", "slices.0.date"),
        ({"adults": 0}, "INVALID_INPUT", "passengers"),
        ({"adults": 10}, "INVALID_INPUT", "passengers"),
        ({"adults": 1, "infants": 2}, "INVALID_INPUT", "passengers.infants"),
    ],
)
async def test_a_search_that_cannot_be_meant(client: Client, changes: dict[str, Any], code: str, field: str) -> None:
    refusal = await client.refused("SearchFlights", input=searching(**changes))
    assert (refusal["code"], refusal["field"]) == (code, field)


@pytest.mark.parametrize(
    "id_", ["", "42", "RmxpZ2h0OjEK", "Rmxp?", global_id("Hold", UUID(int=7)), global_id("Flight", -1)]
)
async def test_a_malformed_id(client: Client, id_: str) -> None:
    refusal = await client.refused("SeatMap", flightId=id_)
    assert (refusal["code"], refusal["field"]) == ("INVALID_ID", "id")
    problem = await client.do("HoldSeats", flights=[{"flightId": id_, "seats": ["12A"]}], idempotencyKey=key())
    assert (problem["__typename"], problem["code"]) == ("InvalidInput", "INVALID_ID")


async def test_a_flight_that_never_was(client: Client) -> None:
    id_ = global_id("Flight", 10**15)
    assert await client.ask("SeatMap", flightId=id_) is None
    problem = await client.do("HoldSeats", flights=[{"flightId": id_, "seats": ["12A"]}], idempotencyKey=key())
    assert problem["__typename"] == "NotFound"


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WzEsMl0", "Ww"])
async def test_a_malformed_cursor(client: Client, cursor: str) -> None:
    refusal = await client.refused("SearchFlights", input=searching(), after=cursor)
    assert (refusal["code"], refusal["field"]) == ("INVALID_CURSOR", "after")


async def test_a_malformed_cursor_of_a_stream(client: Client, server_url: str) -> None:
    choice = await choose(client, in_days(17))
    async with watching(server_url, "SeatMapEvents", flightId=choice.flight_id, after="nonsense") as seen:
        (error,) = await seen.refusal()
    assert error["extensions"] == {"code": "INVALID_CURSOR", "field": "after"}


async def test_seats_that_cannot_be_had(client: Client) -> None:
    choice = await choose(client, in_days(17), seats=2)
    before = seat_statuses(await client.ask("SeatMap", flightId=choice.flight_id))
    unknown = await hold(client, Choice(choice.offer, choice.flight_id, ["99Z"]))
    assert (unknown["__typename"], unknown["code"]) == ("InvalidInput", "UNKNOWN_SEAT")
    short = await hold(client, choice, minutes=4)
    assert (short["__typename"], short["code"]) == ("InvalidInput", "INVALID_INPUT")
    wanted = [{"flightId": choice.flight_id, "seats": choice.seats}]
    guessable = await client.do("HoldSeats", flights=wanted, idempotencyKey="1")
    assert guessable["__typename"] == "InvalidInput"
    assert seat_statuses(await client.ask("SeatMap", flightId=choice.flight_id)) == before


async def test_somebody_elses_hold(client: Client) -> None:
    choice = await choose(client, in_days(18))
    held = await hold(client, choice)
    other = await hold(client, await choose(client, in_days(18)))
    for token, code in ((None, "NOT_FOUND"), ("x", "WRONG_TOKEN"), (other["token"], "WRONG_TOKEN")):
        extended = await client.do("ExtendHold", holdId=held["id"], token=token, idempotencyKey=key())
        released = await client.do("ReleaseHold", holdId=held["id"], token=token)
        booked = await book(client, choice, {"id": held["id"], "token": token}, ("Eve", "Smith"))
        assert [extended["code"], released["code"], booked["code"]] == [code] * 3
    assert seat_statuses(await client.ask("SeatMap", flightId=choice.flight_id))[choice.seats[0]] == "LOCKED"


async def test_passengers_that_do_not_match(client: Client) -> None:
    choice = await choose(client, in_days(18), seats=2)
    held = await hold(client, choice)
    ask = {
        "offerId": choice.offer["id"],
        "holdId": held["id"],
        "holdToken": held["token"],
        "contact": {"email": "ada@example.org"},
    }
    left, right = choice.seats
    ada = traveller("Ada", "Lovelace", choice.flight_id, left)
    wrong: list[list[dict[str, Any]]] = [
        [ada],
        [ada, traveller("Bob", "Ng", choice.flight_id, left)],
        [ada, traveller("Bob", "Ng", choice.flight_id, "1A")],
        [ada, {**traveller("Bob", "Ng", choice.flight_id, right), "type": "CHILD"}],
        [ada, {**traveller("Bob", "", choice.flight_id, right)}],
    ]
    for passengers in wrong:
        problem = await client.do("CreateBooking", **ask, passengers=passengers, idempotencyKey=key())
        assert problem["__typename"] in {"InvalidInput", "Conflict"}, passengers
    good = [ada, traveller("Bob", "Ng", choice.flight_id, right)]
    assert (await client.do("CreateBooking", **ask, passengers=good, idempotencyKey=key()))["__typename"] == "Booking"


async def test_a_forged_offer(client: Client) -> None:
    choice = await choose(client, in_days(18))
    held = await hold(client, choice)
    forged = {**choice.offer, "id": choice.offer["id"][:-3] + "AAA"}
    problem = await book(client, Choice(forged, choice.flight_id, choice.seats), held, ("Ada", "Lovelace"))
    assert (problem["__typename"], problem["code"]) == ("InvalidInput", "INVALID_OFFER")


async def test_a_wrong_booking_token_and_a_method_that_is_none(client: Client) -> None:
    choice = await choose(client, in_days(18))
    booking = await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"))
    for token, code in ((None, "NOT_FOUND"), ("x", "WRONG_TOKEN")):
        refused = await pay(client, {**booking, "accessToken": token})
        assert refused["code"] == code
    nothing = await pay(client, booking, "pm_card_nothing")
    assert nothing["__typename"] in {"InvalidInput", "PaymentDeclined"}
    found = await client.ask("BookingByPnr", pnr=booking["pnr"], lastName="Lovelace")
    assert found["status"] == "SEATS_LOCKED"


async def test_a_stream_of_a_flight_that_never_was(server_url: str) -> None:
    id_ = global_id("Flight", 10**15)
    for operation, variables in (("SeatMapEvents", {"flightId": id_}), ("FlightStatusEvents", {"flightIds": [id_]})):
        async with watching(server_url, operation, after=None, **variables) as seen:
            (error,) = await seen.refusal()
        assert error["extensions"] == {"code": "NOT_FOUND"}


async def test_a_subscription_over_http(client: Client) -> None:
    answer = await client.post('subscription { seatMapEvents(flightId: "x") { __typename } }')
    assert answer["errors"][0]["extensions"] == {"code": "OPERATION_NOT_ALLOWED"}


async def test_more_than_one_operation_may_ask_for(client: Client) -> None:
    def boards(count: int) -> str:
        each = "{ id airline { name } origin { name } destination { name } aircraft { name } }"
        return "{" + " ".join(f'a{n}: departures(airport: "JFK", first: 100) {each}' for n in range(count)) + "}"

    (error,) = (await client.post(boards(20)))["errors"]
    assert error["extensions"] == {"code": "TOO_COSTLY", "limit": 20_000, "found": 28_000}
    fitting = await client.post(boards(2))
    assert fitting["extensions"] == {"cost": {"requested": 2_800, "limit": 20_000}}
    assert [len(board) for board in fitting["data"].values()] == [100, 100]


@pytest.mark.parametrize("day", ["20261215ab", "2026-W50-1", "2026-12-15T00:00", "2026-02-30"])
async def test_a_date_that_is_none(client: Client, day: str) -> None:
    answer = await client.post(DOCUMENTS, {"input": searching(date=day)}, "SearchFlights")
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-15", "now"])
async def test_a_moment_that_is_none(client: Client, moment: str) -> None:
    document = 'query($from: DateTime) { departures(airport: "JFK", from: $from) { id } }'
    answer = await client.post(document, {"from": moment})
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}


async def test_null_where_none_may_be(client: Client) -> None:
    answer = await client.post('query($n: Int = 3) { departures(airport: "JFK", first: $n) { id } }', {"n": None})
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}


async def test_an_id_with_a_control_character_in_it(client: Client) -> None:
    answer = await client.post("query($id: ID!) { node(id: $id) { id } }", {"id": global_id("Airport", "\0")})
    assert answer["errors"][0]["extensions"] == {"code": "INVALID_ID", "field": "id"}


async def test_one_uuid_is_one_key_in_either_case(client: Client) -> None:
    choice = await choose(client, in_days(19))
    wanted = [{"flightId": choice.flight_id, "seats": choice.seats}]
    same = key()
    first = await client.do("HoldSeats", flights=wanted, idempotencyKey=same)
    assert (await client.do("HoldSeats", flights=wanted, idempotencyKey=same.upper()))["id"] == first["id"]
