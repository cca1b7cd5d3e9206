"""Ada books for three. Each pays a third: Ada herself, Grace with a link, and Mary, whose first card is declined."""

from __future__ import annotations

import httpx

from tests.fakes.clients import Client, key
from tests.stories.friends import LINK, pay_by_link, say, shares, split
from tests.stories.journeys import book, choose, hold, in_days

NAMES = (("Ada", "Lovelace"), ("Grace", "Hopper"), ("Mary", "Jackson"))


async def test_three_friends_split_a_trip(server_url: str) -> None:
    async with Client(server_url) as ada, Client(server_url) as grace, Client(server_url) as mary:
        choice = await choose(ada, in_days(22), seats=3)
        booking = await book(ada, choice, await hold(ada, choice), *NAMES)

        # Ada splits the price: no cent is lost, and everybody has a link.
        thirds = (await split(ada, booking, equally=3))["shares"]
        assert sum(one["amount"]["minorUnits"] for one in thirds) == booking["total"]["minorUnits"]
        assert [one["status"] for one in thirds] == ["OPEN", "OPEN", "OPEN"]

        # She pays hers like any booking of her own; it is promised, and nothing is taken yet.
        hers = await ada.do(
            "PayBooking",
            bookingId=booking["id"],
            bookingToken=booking["accessToken"],
            shareId=thirds[0]["id"],
            paymentMethod="pm_card_visa",
            idempotencyKey=key(),
        )
        assert hers["status"] == "AUTHORIZED"

        # Grace looks what her link is for, and her bank asks her first.
        shown = await say(grace, LINK, token=thirds[1]["link"])
        assert (shown["pnr"], shown["status"]) == (None, "OPEN")
        assert shown["slices"][0]["segments"][0]["flight"]["origin"]["iataCode"] == "JFK"
        same = key()
        asked = await pay_by_link(grace, thirds[1]["link"], "pm_card_threeDSecure2Required", same)
        assert asked["status"] == "REQUIRES_ACTION"
        async with httpx.AsyncClient(timeout=30) as bank:
            await bank.post(asked["redirectUrl"], data={"outcome": "complete"})
        assert (await pay_by_link(grace, thirds[1]["link"], "pm_card_threeDSecure2Required", same))["status"] == (
            "AUTHORIZED"
        )

        # Mary's card is declined. The others stand, and Ada sees how far everybody is.
        declined = await pay_by_link(mary, thirds[2]["link"], "pm_card_visa_chargeDeclinedInsufficientFunds")
        assert (declined["__typename"], declined["declineCode"]) == ("PaymentDeclined", "insufficient_funds")
        seen = await shares(ada, booking)
        assert seen["status"] == "PAYMENT_PENDING"
        assert [(one["status"], one["declineCode"]) for one in seen["shares"]] == [
            ("PROMISED", None),
            ("PROMISED", None),
            ("DECLINED", "insufficient_funds"),
        ]

        # Another card, and everything is taken: the trip is theirs.
        paid = await pay_by_link(mary, thirds[2]["link"])
        assert (paid["status"], paid["link"]["status"]) == ("CAPTURED", "PAID")
        seen = await shares(ada, booking)
        assert seen["status"] == "CONFIRMED"
        assert [(one["status"], one["link"]) for one in seen["shares"]] == [("PAID", None)] * 3
