"""The Ngs, two adults, a child and an infant, see two coasts: two flights a week apart, in one booking."""

from __future__ import annotations

from typing import Any

from tests.fakes.clients import Client, key
from tests.stories.journeys import free_runs, in_days, pay, seat_statuses

PARTY = (
    ("ADULT", "Bob", "1990-12-10"),
    ("ADULT", "Eve", "1991-03-02"),
    ("CHILD", "Kim", None),
    ("INFANT", "Lou", None),
)


def named(day_of_travel: int, kind: str, first: str, born: str | None, seats: list[dict[str, str]]) -> dict[str, Any]:
    """Somebody of the family, of the age that goes with their type; an infant has no seat."""
    age = {"CHILD": 365 * 8, "INFANT": 200}
    return {
        "type": kind,
        "firstName": first,
        "lastName": "Ng",
        "dateOfBirth": born or in_days(day_of_travel - age[kind]).isoformat(),
        "seats": seats if kind != "INFANT" else [],
    }


async def test_a_family_sees_two_coasts(server_url: str) -> None:
    async with Client(server_url) as bob:
        # Twelve days before: to Los Angeles, and a week later, from New York again, to San Francisco.
        there, later = in_days(12), in_days(19)
        found = await bob.ask(
            "SearchFlights",
            input={
                "slices": [
                    {"origin": "JFK", "destination": "LAX", "date": there.isoformat()},
                    {"origin": "JFK", "destination": "SFO", "date": later.isoformat()},
                ],
                "passengers": {"adults": 2, "children": 1, "infants": 1},
                "cabin": "ECONOMY",
                "sort": "PRICE",
            },
        )
        totals = [edge["node"]["total"]["minorUnits"] for edge in found["edges"]]
        assert totals == sorted(totals)
        offer = found["edges"][0]["node"]
        flights = [slice_["segments"][0]["flight"] for slice_ in offer["slices"]]
        assert [(one["origin"]["iataCode"], one["destination"]["iataCode"]) for one in flights] == [
            ("JFK", "LAX"),
            ("JFK", "SFO"),
        ]
        assert sum(line["amount"]["minorUnits"] for line in offer["lines"]) == offer["total"]["minorUnits"]

        # Three seats side by side on both flights, held together or not at all.
        seats = [free_runs(await bob.ask("SeatMap", flightId=one["id"]), 3)[0] for one in flights]
        wanted = [{"flightId": one["id"], "seats": run} for one, run in zip(flights, seats, strict=True)]
        held = await bob.do("HoldSeats", flights=wanted, minutes=15, idempotencyKey=key())
        assert [one["seats"] for one in held["flights"]] == seats

        # One booking for the four of them, paid at once: a ticket for each on each flight, the infant's too.
        places = [
            [{"flightId": one["id"], "number": run[index]} for one, run in zip(flights, seats, strict=True)]
            for index in range(3)
        ]
        booking = await bob.do(
            "CreateBooking",
            offerId=offer["id"],
            holdId=held["id"],
            holdToken=held["token"],
            idempotencyKey=key(),
            contact={"email": "bob@example.org"},
            passengers=[named(12, *who, place) for who, place in zip(PARTY, [*places, []], strict=True)],
        )
        assert (booking["__typename"], booking["total"]) == ("Booking", offer["total"])
        paid = await pay(bob, booking)
        assert (paid["status"], paid["booking"]["status"]) == ("CAPTURED", "CONFIRMED")
        tickets = [ticket["number"] for one in paid["booking"]["passengers"] for ticket in one["tickets"]]
        assert len(set(tickets)) == 8
        assert [
            [(seat["flight"]["id"], seat["number"]) for seat in one["seats"]] for one in paid["booking"]["passengers"]
        ] == [*([(one["flightId"], one["number"]) for one in place] for place in places), []]

        # They change their minds within a day: all of it comes back, and so do the seats of both flights.
        quote = await bob.do("QuoteCancellation", bookingId=booking["id"], bookingToken=booking["accessToken"])
        assert quote["refund"] == booking["total"]
        done = {"quoteId": quote["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key()}
        assert (await bob.do("CancelBooking", **done))["status"] == "CANCELLED"
        for one, run in zip(flights, seats, strict=True):
            statuses = seat_statuses(await bob.ask("SeatMap", flightId=one["id"]))
            assert {statuses[number] for number in run} == {"AVAILABLE"}
