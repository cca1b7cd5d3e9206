"""One of a family cannot come: her seat is everybody's, what she paid comes back less the fee; then nobody comes."""

from __future__ import annotations

from typing import Any

from tests.fakes.clients import Client, key, watching
from tests.stories.journeys import free_runs, in_days, pay, seat_statuses

DAYS = 5
FEE = 75_00
PARTY = (("ADULT", "Bob", 36 * 365), ("ADULT", "Eve", 35 * 365), ("CHILD", "Kim", 8 * 365), ("INFANT", "Lou", 200))

QUOTE = """
    mutation ($input: QuoteCancellationInput!) { quoteCancellation(input: $input) {
        __typename
        ... on CancellationQuote {
            id rule refund { minorUnits } fee { minorUnits } passengers { firstName } flights { designator }
        }
        ... on MinorsAlone { code passengerIds }
        ... on Problem { code } } }
"""
CANCEL = """
    mutation ($input: CancelBookingInput!) { cancelBooking(input: $input) {
        __typename
        ... on Booking {
            status total { minorUnits } lines { label amount { minorUnits } }
            passengers { id firstName cancelledAt seats { number } tickets { status } }
            slices { segments { bookingClass } } cancelledSlices { stops }
            payments { status refunds { status amount { minorUnits } requestedAt expectedBy } }
            timeline { subject to } }
        ... on Problem { code message } } }
"""


async def asked(client: Client, document: str, **input_: Any) -> Any:
    """The answer to a mutation of ours; it must have no errors."""
    answer = await client.post(document, {"input": input_})
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


def named(kind: str, first: str, days_old: int, seats: list[dict[str, str]]) -> dict[str, Any]:
    """One of the family."""
    born = in_days(DAYS - days_old).isoformat()
    return {"type": kind, "firstName": first, "lastName": "Ng", "dateOfBirth": born, "seats": seats}


async def booked(bob: Client) -> tuple[Any, str, list[str]]:
    """The four of them in one booking on a flight in five days, paid; the flight and their three seats."""
    found = await bob.ask(
        "SearchFlights",
        input={
            "slices": [{"origin": "JFK", "destination": "LAX", "date": in_days(DAYS).isoformat()}],
            "passengers": {"adults": 2, "children": 1, "infants": 1},
            "cabin": "ECONOMY",
            "sort": "DEPARTURE",
        },
    )
    offer = next(edge["node"] for edge in found["edges"] if edge["node"]["fareFamily"]["name"] == "Economy Main")
    flight = offer["slices"][0]["segments"][0]["flight"]["id"]
    seats = free_runs(await bob.ask("SeatMap", flightId=flight), 3)[0]
    wanted = [{"flightId": flight, "seats": seats}]
    held = await bob.do("HoldSeats", flights=wanted, minutes=15, idempotencyKey=key())
    places = [*([{"flightId": flight, "number": seat}] for seat in seats), []]
    made = await bob.do(
        "CreateBooking",
        offerId=offer["id"],
        holdId=held["id"],
        holdToken=held["token"],
        idempotencyKey=key(),
        contact={"email": "bob@example.org"},
        passengers=[named(*who, place) for who, place in zip(PARTY, places, strict=True)],
    )
    paid = await pay(bob, made)
    assert paid["booking"]["status"] == "CONFIRMED"
    return {**made, "passengers": paid["booking"]["passengers"]}, flight, seats


async def test_one_of_a_family_cannot_come(server_url: str) -> None:
    async with Client(server_url) as bob:
        booking, flight, seats = await booked(bob)
        total = booking["total"]["minorUnits"]
        mine = {"bookingId": booking["id"], "bookingToken": booking["accessToken"]}
        ids = {one["firstName"]: one["id"] for one in booking["passengers"]}

        # Both parents cannot leave Kim alone.
        alone = await asked(bob, QUOTE, **mine, passengerIds=[ids["Bob"], ids["Eve"]])
        assert (alone["__typename"], alone["passengerIds"]) == ("MinorsAlone", [ids["Kim"]])

        # Eve cannot come. The quote says what of her part comes back.
        quote = await asked(bob, QUOTE, **mine, passengerIds=[ids["Eve"]])
        assert (quote["rule"], quote["passengers"], quote["flights"]) == ("LESS_FEE", [{"firstName": "Eve"}], None)
        hers = quote["refund"]["minorUnits"] + FEE
        assert quote["fee"]["minorUnits"] == FEE
        done = {"quoteId": quote["id"], "bookingToken": booking["accessToken"]}

        # Whoever watches the flight sees her seat come free.
        async with watching(server_url, "SeatMapEvents", flightId=flight) as seen:
            await seen.next()
            left = await asked(bob, CANCEL, **done, idempotencyKey=key())
            await seen.until(seats[1], "AVAILABLE")

        # The others fly, and the booking costs what they have paid.
        assert (left["status"], left["total"]["minorUnits"]) == ("CONFIRMED", total - hers)
        assert sum(line["amount"]["minorUnits"] for line in left["lines"]) == total - hers
        assert {one["firstName"]: [ticket["status"] for ticket in one["tickets"]] for one in left["passengers"]} == {
            "Bob": ["OPEN"],
            "Eve": ["REFUNDED"],
            "Kim": ["OPEN"],
            "Lou": ["OPEN"],
        }
        assert [one["firstName"] for one in left["passengers"] if one["cancelledAt"]] == ["Eve"]
        assert (len(left["slices"]), left["cancelledSlices"]) == (1, [])
        (payment,) = left["payments"]
        (refund,) = payment["refunds"]
        assert (refund["status"], refund["amount"]["minorUnits"]) == ("SUCCEEDED", hers - FEE)
        assert refund["expectedBy"] > refund["requestedAt"]
        assert {"subject": "REFUND", "to": "SUCCEEDED"} in left["timeline"]
        assert (await asked(bob, CANCEL, **done, idempotencyKey=key()))["code"] == "QUOTE_SPENT"

        # Then nobody can. The fee was kept already: all that is left comes back.
        rest = await asked(bob, QUOTE, **mine)
        assert (rest["refund"]["minorUnits"], rest["fee"]["minorUnits"]) == (total - hers, 0)
        over = await asked(bob, CANCEL, quoteId=rest["id"], bookingToken=booking["accessToken"], idempotencyKey=key())
        assert over["status"] == "CANCELLED"
        amounts = [one["amount"]["minorUnits"] for payment in over["payments"] for one in payment["refunds"]]
        assert sum(amounts) == total - FEE
        statuses = seat_statuses(await bob.ask("SeatMap", flightId=flight))
        assert {statuses[seat] for seat in seats} == {"AVAILABLE"}
