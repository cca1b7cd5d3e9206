"""Seats to be chosen later, over HTTP: held with chosen ones, counted with them, and refused in words."""

from __future__ import annotations

from typing import Any

from tests.fakes.clients import Client, key
from tests.stories.journeys import choose, in_days, lacking

HOLD = """
mutation ($input: HoldSeatsInput!) {
  holdSeats(input: $input) {
    __typename
    ... on Hold { id token extensionsLeft status flights { flight { id } seats unassigned { cabin quantity } } }
    ... on SoldOut { code flightId cabin left }
    ... on InvalidInput { code field }
  }
}
"""
READ = "query ($id: ID!, $token: String) { hold(id: $id, token: $token) { flights { seats unassigned { quantity } } } }"


async def held(client: Client, flight_id: str, seats: list[str] | None = None, **cabins: int) -> Any:
    """What comes of asking for that."""
    unassigned = [{"cabin": cabin, "quantity": quantity} for cabin, quantity in cabins.items()]
    chosen = {} if seats is None else {"seats": seats}
    flights = [{"flightId": flight_id, "unassigned": unassigned, **chosen}]
    answer = await client.post(HOLD, {"input": {"flights": flights, "idempotencyKey": key()}})
    assert "errors" not in answer, answer
    return answer["data"]["holdSeats"]


async def test_a_seat_and_two_to_be_chosen_later(server_url: str) -> None:
    async with Client(server_url) as guest:
        choice = await choose(guest, in_days(9))
        hold = await held(guest, choice.flight_id, choice.seats[:1], ECONOMY=2)
        read = await guest.post(READ, {"id": hold["id"], "token": hold["token"]})
    (flight,) = hold["flights"]
    assert flight == {
        "flight": {"id": choice.flight_id},
        "seats": choice.seats[:1],
        "unassigned": [{"cabin": "ECONOMY", "quantity": 2}],
    }
    assert (hold["status"], hold["extensionsLeft"]) == ("ACTIVE", 2)
    assert read["data"]["hold"]["flights"] == [{"seats": choice.seats[:1], "unassigned": [{"quantity": 2}]}]


async def test_what_cannot_be_had(server_url: str) -> None:
    async with Client(server_url) as guest:
        choice = await choose(guest, in_days(9))
        nothing = await held(guest, choice.flight_id)
        none = await held(guest, choice.flight_id, ECONOMY=0)
        ten = await held(guest, choice.flight_id, choice.seats[:1], ECONOMY=9)
        nowhere = await held(guest, choice.flight_id, None, **{await lacking(guest, choice.flight_id): 1})
    assert [one["__typename"] for one in (nothing, none, ten, nowhere)] == ["InvalidInput"] * 4
    assert [one["field"] for one in (nothing, none, ten, nowhere)] == [
        "flights.0.seats",
        "flights.0.unassigned",
        "flights.0.seats",
        "flights.0.unassigned",
    ]
    assert [one["code"] for one in (none, nowhere)] == ["INVALID_INPUT", "UNKNOWN_POOL"]


async def test_a_cabin_that_is_sold_out_tells_what_is_left(server_url: str) -> None:
    async with Client(server_url) as guest:
        choice = await choose(guest, in_days(11))
        holds = []
        while (hold := await held(guest, choice.flight_id, ECONOMY=9))["__typename"] == "Hold":
            holds.append(hold)
        last = await held(guest, choice.flight_id, ECONOMY=hold["left"]) if hold["left"] else None
        for one in (*holds, last):
            if one is not None:
                await guest.do("ReleaseHold", holdId=one["id"], token=one["token"])
    assert (hold["code"], hold["flightId"], hold["cabin"]) == ("SOLD_OUT", choice.flight_id, "ECONOMY")
    assert 0 <= hold["left"] < 9
    assert last is None or last["__typename"] == "Hold"
