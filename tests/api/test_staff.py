"""Staff block seats and say how much of a cabin is sold, over HTTP; nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models import Role
from tests.fakes.clients import Client, key
from tests.fakes.people import somebody
from tests.fakes.servers import Server
from tests.stories.journeys import Choice, choose, in_days, lacking, seat_statuses

BLOCK, UNBLOCK = "BlockSeats", "UnblockSeats"
AUTHORISE, OVERBOOK, LIMIT, INVENTORY = "AuthoriseSeats", "SetOverbooking", "LimitBookingClass", "FlightInventory"
"""Operations of the contract."""

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "staff.graphql").read_text()


@pytest.fixture
async def choice(server_url: str) -> Choice:
    """A flight with free seats."""
    async with Client(server_url) as guest:
        return await choose(guest, in_days(10), seats=3)


async def signed_in(server: Server, role: str) -> str:
    """The access token of a new account with that role."""
    return (await somebody(server, Role(role))).token


async def do(client: Client, operation: str, choice: Choice, *seats: str, reason: str = "a broken belt") -> Any:
    """The answer of the mutation."""
    wanted = {"flightId": choice.flight_id, "seats": seats, "reason": reason}
    answer = await client.post(DOCUMENTS, {"input": wanted}, operation)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


@pytest.mark.parametrize("role", ["STAFF", "ADMIN"])
async def test_staff_block_and_let_go(server: Server, choice: Choice, role: str) -> None:
    seat = choice.seats[0]
    async with Client(server.url, await signed_in(server, role)) as client:
        blocked = await do(client, BLOCK, choice, seat)
        assert (blocked["__typename"], blocked["flight"]["id"]) == ("FlightSeats", choice.flight_id)
        assert [(one["number"], one["status"]) for one in blocked["seats"]] == [(seat, "BLOCKED")]
        problem = await client.do(
            "HoldSeats", flights=[{"flightId": choice.flight_id, "seats": [seat]}], idempotencyKey=key()
        )
        assert (problem["__typename"], problem["code"]) == ("SeatsTaken", "SEATS_TAKEN")
        freed = await do(client, UNBLOCK, choice, seat.lower())
    assert [(one["number"], one["status"]) for one in freed["seats"]] == [(seat, "AVAILABLE")]
    assert freed["seats"][0]["version"] > blocked["seats"][0]["version"]


async def test_a_seat_that_somebody_holds(server: Server, choice: Choice) -> None:
    async with Client(server.url, await signed_in(server, "STAFF")) as client:
        held, free = choice.seats[:2]
        await client.do("HoldSeats", flights=[{"flightId": choice.flight_id, "seats": [held]}], idempotencyKey=key())
        problem = await do(client, BLOCK, choice, free, held)
        assert problem["taken"] == [{"flightId": choice.flight_id, "seats": [held]}]
        assert seat_statuses(await client.ask("SeatMap", flightId=choice.flight_id))[free] == "AVAILABLE"
        for seats, reason, code, field in (
            (["99Z"], "x", "UNKNOWN_SEAT", "seats"),
            ([], "x", "INVALID_INPUT", "seats"),
            ([free], " ", "INVALID_INPUT", "reason"),
        ):
            problem = await do(client, BLOCK, choice, *seats, reason=reason)
            assert (problem["code"], problem["field"]) == (code, field)


async def test_nobody_else_does(server: Server, choice: Choice) -> None:
    for token, code in ((None, "UNAUTHENTICATED"), (await signed_in(server, "CUSTOMER"), "FORBIDDEN")):
        async with Client(server.url, token) as client:
            for operation in (BLOCK, UNBLOCK):
                problem = await do(client, operation, choice, choice.seats[0])
                assert (problem["__typename"], problem["code"]) == ("Forbidden", code)
            statuses = seat_statuses(await client.ask("SeatMap", flightId=choice.flight_id))
            assert statuses[choice.seats[0]] == "AVAILABLE"


async def set_(client: Client, operation: str, choice: Choice, **what: Any) -> Any:
    """The answer of a mutation that sets a number of economy."""
    input_ = {"flightId": choice.flight_id, "cabin": "ECONOMY", "reason": "a quiet week", **what}
    answer = await client.post(DOCUMENTS, {"input": input_}, operation)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def economy(client: Client, choice: Choice) -> Any:
    """What staff see of economy."""
    answer = await client.post(DOCUMENTS, {"flightId": choice.flight_id}, INVENTORY)
    assert "errors" not in answer, answer
    return next(one for one in answer["data"]["flightInventory"] if one["cabin"] == "ECONOMY")


async def test_staff_say_how_much_of_a_cabin_is_sold(server: Server, choice: Choice) -> None:
    async with Client(server.url, await signed_in(server, "STAFF")) as client:
        before = await economy(client, choice)
        assert (before["flight"]["id"], before["overbooking"]) == (choice.flight_id, 0)
        more = before["capacity"] + 2
        problem = await set_(client, AUTHORISE, choice, authorised=more)
        assert (problem["__typename"], problem["code"]) == ("NotAuthorised", "NOT_AUTHORISED")
        assert (problem["least"], problem["most"]) == (before["held"] + before["sold"], before["capacity"])
        assert await economy(client, choice) == before
        allowed = await set_(client, OVERBOOK, choice, overbooking=2)
        assert (allowed["overbooking"], allowed["left"]) == (2, before["left"])
        for _ in range(2):
            authorised = await set_(client, AUTHORISE, choice, authorised=more)
            assert (authorised["authorised"], authorised["left"]) == (more, before["left"] + 2)
        lowest = before["bookingClasses"][-1]["code"]
        closed = await set_(client, LIMIT, choice, bookingClass=lowest.lower(), limit=0)
        (one,) = [one for one in closed["bookingClasses"] if one["code"] == lowest]
        assert (one["limit"], one["left"]) == (0, 0)
        assert {"__typename": "CabinInventory", **await economy(client, choice)} == closed


async def test_numbers_that_cannot_be_meant(server: Server, choice: Choice) -> None:
    async with Client(server.url, await signed_in(server, "ADMIN")) as client:
        before, nowhere = await economy(client, choice), await lacking(client, choice.flight_id)
        flight_id = "RmxpZ2h0Ojk5OTk5OTk5"
        for operation, what, code, field in (
            (AUTHORISE, {"authorised": -1}, "INVALID_INPUT", "authorised"),
            (OVERBOOK, {"overbooking": -1}, "INVALID_INPUT", "overbooking"),
            (LIMIT, {"bookingClass": "Y", "limit": -1}, "INVALID_INPUT", "limit"),
            (LIMIT, {"bookingClass": "?", "limit": 1}, "UNKNOWN_CLASS", "bookingClass"),
            (AUTHORISE, {"authorised": 1, "cabin": nowhere}, "UNKNOWN_POOL", "cabin"),
            (OVERBOOK, {"overbooking": 1, "reason": " "}, "INVALID_INPUT", "reason"),
            (OVERBOOK, {"overbooking": 1, "flightId": "nonsense"}, "INVALID_ID", "flightId"),
            (OVERBOOK, {"overbooking": 1, "flightId": flight_id}, "NOT_FOUND", None),
        ):
            problem = await set_(client, operation, choice, **what)
            assert (problem["code"], problem.get("field")) == (code, field)
        assert await economy(client, choice) == before
        assert await client.post(DOCUMENTS, {"flightId": flight_id}, INVENTORY) | {"extensions": {}} == {
            "data": {"flightInventory": None},
            "extensions": {},
        }


async def test_nobody_else_says_how_much_is_sold(server: Server, choice: Choice) -> None:
    async with Client(server.url, await signed_in(server, "STAFF")) as staff:
        before = await economy(staff, choice)
        for token, code in ((None, "UNAUTHENTICATED"), (await signed_in(server, "CUSTOMER"), "FORBIDDEN")):
            async with Client(server.url, token) as client:
                for operation, what in (
                    (AUTHORISE, {"authorised": 0}),
                    (OVERBOOK, {"overbooking": 1}),
                    (LIMIT, {"bookingClass": "Y", "limit": 0}),
                ):
                    problem = await set_(client, operation, choice, **what)
                    assert (problem["__typename"], problem["code"]) == ("Forbidden", code)
                (error,) = (await client.post(DOCUMENTS, {"flightId": choice.flight_id}, INVENTORY))["errors"]
                assert error["extensions"]["code"] == code
        assert await economy(staff, choice) == before
