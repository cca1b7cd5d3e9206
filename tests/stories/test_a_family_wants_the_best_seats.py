"""Two parents, a child and an infant in arms ask for the best seats to Los Angeles, and book what they are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.clients import Client, key
from tests.stories.journeys import free_runs, in_days, search, seat_statuses

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "seats.graphql").read_text()
PARTY = {"adults": 2, "children": 1, "infants": 1}


async def ask(client: Client, operation: str, **variables: Any) -> Any:
    """The data of one of the operations about best seats; it must have no errors."""
    answer = await client.post(DOCUMENTS, variables, operation)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


def numbers(suggestion: Any) -> list[str]:
    """The seats of a suggestion, in the order of reading."""
    return [one["seat"]["number"] for group in suggestion["groups"] for one in group["seats"]]


async def abreast(client: Client) -> str:
    """A flight with three seats abreast from the window: the cheapest may have two, by the weekday."""
    for edge in (await search(client, in_days(21), **PARTY))["edges"]:
        flight_id: str = edge["node"]["slices"][0]["segments"][0]["flight"]["id"]
        if any(run[0].endswith("A") for run in free_runs(await client.ask("SeatMap", flightId=flight_id), 3)):
            return flight_id
    raise AssertionError("no flight has three seats abreast from the window")


async def test_a_family_wants_the_best_seats(server_url: str) -> None:
    async with Client(server_url) as family, Client(server_url) as rival:
        # Three weeks before: an offer for all four of them.
        flight_id = await abreast(family)

        # Which seats would be best? Nothing is held yet.
        asked = {"flightId": flight_id, "cabin": "ECONOMY", "wishes": ["WINDOW", "TOGETHER"]}
        best = await ask(family, "SuggestSeats", party=PARTY, **asked)
        (group,) = best["groups"]
        seats = numbers(best)
        assert len(seats) == 3
        assert best["price"]["minorUnits"] == 0
        assert (best["met"], best["unmet"], best["childrenAlone"]) == (["WINDOW", "TOGETHER"], [], 0)
        assert sorted(one["passengerType"] for one in group["seats"]) == ["ADULT", "ADULT", "CHILD"]
        assert [one["passengerType"] for one in group["seats"] if one["withInfant"]] == ["ADULT"]
        assert best["reason"] == (
            f"3 seats side by side in row {best['rows'][0]}. The child sits beside an adult. "
            "As you wished: by the window and all together."
        )
        shown = await family.ask("SeatMap", flightId=flight_id)
        assert {seat_statuses(shown)[number] for number in seats} == {"AVAILABLE"}

        # Somebody else is quicker and takes the middle one of them.
        wanted = [{"flightId": flight_id, "seats": [seats[1]]}]
        quicker = await rival.do("HoldSeats", flights=wanted, minutes=15, idempotencyKey=key())
        assert quicker["__typename"] == "Hold"

        # They hold the best that is left, in one request, and are told why.
        holding = {"flights": [asked], "party": PARTY, "minutes": 10, "idempotencyKey": key()}
        held = await ask(family, "HoldBestSeats", input=holding)
        assert held["__typename"] == "BestSeatsHeld"
        (suggestion,) = held["suggestions"]
        assert seats[1] not in numbers(suggestion)
        assert suggestion["childrenAlone"] == 0
        assert held["hold"]["flights"] == [{"flight": {"id": flight_id}, "seats": numbers(suggestion)}]
        shown = await rival.ask("SeatMap", flightId=flight_id)
        assert {seat_statuses(shown)[number] for number in numbers(suggestion)} == {"LOCKED"}

        # The answer was lost on the way, so they ask again: the same hold, though other seats are the best ones now.
        again = await ask(family, "HoldBestSeats", input=holding)
        assert again["hold"] == held["hold"]
        assert numbers(again["suggestions"][0]) == numbers(suggestion)
        other = await ask(family, "HoldBestSeats", input={**holding, "minutes": 15})
        assert (other["__typename"], other["code"]) == ("Conflict", "IDEMPOTENCY_KEY_REUSED")

        # A cabin that this flight has not has no seats left.
        aboard = {cabin["cabin"] for cabin in shown["seatMap"]["cabins"]}
        missing = min({"FIRST", "BUSINESS", "PREMIUM_ECONOMY", "ECONOMY"} - aboard)
        elsewhere = {**holding, "idempotencyKey": key(), "flights": [{**asked, "cabin": missing}]}
        refused = await ask(rival, "HoldBestSeats", input=elsewhere)
        assert (refused["__typename"], refused["code"]) == ("SoldOut", "SOLD_OUT")
        assert (refused["flightId"], refused["cabin"], refused["left"]) == (flight_id, missing, 0)

        # What cannot be meant is told by the field.
        nobody = await ask(rival, "HoldBestSeats", input={**holding, "party": {"adults": 0}, "idempotencyKey": key()})
        assert (nobody["__typename"], nobody["field"]) == ("InvalidInput", "party")
        nowhere = {**holding, "flights": [{**asked, "near": "99Z"}], "idempotencyKey": key()}
        assert (await ask(rival, "HoldBestSeats", input=nowhere))["field"] == "flights.0.near"
