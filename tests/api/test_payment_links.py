"""Shares and payment links over HTTP: strangers pay and learn nothing of the people; whatever is wrong is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.clients import Client, key
from tests.fakes.servers import Server
from tests.fakes.streams import streaming
from tests.stories.friends import CREATE_LINK, DOCUMENTS, LINK, PAY_BY_LINK, SPLIT, pay_by_link, say, shares, split
from tests.stories.journeys import book, choose, hold, in_days, pay


async def booked(client: Client, days: int) -> Any:
    """A guest's booking of one, which waits for its money."""
    choice = await choose(client, in_days(days))
    return await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"))


async def link_to(client: Client, booking: Any, **more: Any) -> Any:
    wanted = {"bookingId": booking["id"], "bookingToken": booking["accessToken"], **more}
    return await say(client, CREATE_LINK, input=wanted)


def nothing_but(status: str, minor_units: int) -> Any:
    """What a link shows of what is paid, or can be paid no more."""
    empty: dict[str, Any] = {"pnr": None, "label": None, "expiresAt": None, "slices": []}
    return {"status": status, "amount": {"minorUnits": minor_units}, **empty}


async def test_all_of_a_price_is_paid_by_somebody_else(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        booking = await booked(ada, 23)
        link = await link_to(ada, booking)
        assert link["pnr"] == booking["pnr"]
        assert (link["amount"], link["label"]) == ({"minorUnits": booking["total"]["minorUnits"]}, None)
        paid = await pay_by_link(bob, link["token"])
        assert (paid["status"], paid["link"]["status"]) == ("CAPTURED", "PAID")
        assert paid["clientSecret"] is None
        seen = await shares(ada, booking)
        assert (seen["status"], seen["shares"]) == ("CONFIRMED", [])
        assert seen["payments"] == [{"shareId": None, "status": "CAPTURED", "clientSecret": None, "redirectUrl": None}]
        shown = await say(bob, LINK, token=link["token"])
        assert shown == nothing_but("PAID", booking["total"]["minorUnits"])


async def test_a_link_shows_what_is_paid_and_nothing_of_the_people(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        booking = await booked(ada, 24)
        total, currency = booking["total"]["minorUnits"], booking["total"]["currency"]
        amounts = [total // 3, total - total // 3]
        named = [
            {"amount": {"amount": f"{units / 100:.2f}", "currency": currency}, "label": label, "email": email}
            for units, label, email in zip(amounts, ("Bob", "Eve"), ("bob@example.org", None), strict=True)
        ]
        made = await split(ada, booking, shares=named)
        assert [(one["label"], one["amount"]["minorUnits"]) for one in made["shares"]] == [
            ("Bob", amounts[0]),
            ("Eve", amounts[1]),
        ]
        shown = await say(bob, LINK, token=made["shares"][0]["link"])
        assert (shown["label"], shown["amount"], shown["status"]) == ("Bob", {"minorUnits": amounts[0]}, "OPEN")
        assert shown["expiresAt"] is not None
        assert (len(shown["slices"]), shown["pnr"]) == (1, None)
        assert not [word for word in ("Lovelace", booking["pnr"]) if word in str(shown)]
        assert "example.org" not in str(shown)
        by_name = 'query ($pnr: String!) { bookingByPnr(pnr: $pnr, lastName: "Lovelace") { shares { label } } }'
        found = await bob.post(by_name, {"pnr": booking["pnr"]})
        assert found["data"] == {"bookingByPnr": {"shares": None}}


async def test_links_that_are_none_or_are_dead(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        booking = await booked(ada, 25)
        whole = await link_to(ada, booking)
        old = (await split(ada, booking, equally=2))["shares"]
        new = (await split(ada, booking, equally=3))["shares"]
        forged = whole["token"][:-2] + ("AA" if not whole["token"].endswith("AA") else "BB")
        assert (await pay_by_link(bob, forged))["code"] == "WRONG_TOKEN"
        assert (await pay_by_link(bob, booking["accessToken"]))["code"] == "WRONG_TOKEN"
        assert (await pay_by_link(bob, old[0]["link"]))["code"] == "SHARE_WITHDRAWN"
        assert (await pay_by_link(bob, whole["token"]))["code"] == "SPLIT"
        assert (await link_to(ada, booking))["code"] == "SPLIT"
        assert (await link_to(ada, booking, shareId=old[0]["id"]))["code"] == "SHARE_WITHDRAWN"
        assert (await link_to(ada, booking, shareId=new[0]["id"]))["token"] == new[0]["link"]
        for token in (forged, booking["accessToken"]):
            assert await say(bob, LINK, token=token) is None
        dead = await say(bob, LINK, token=whole["token"])
        assert dead == nothing_but("CLOSED", booking["total"]["minorUnits"])
        assert await say(bob, LINK, token=old[0]["link"]) is None
        seen = await shares(ada, booking)
        assert (seen["status"], seen["payments"]) == ("SEATS_LOCKED", [])


async def test_a_link_is_paid_once(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        booking = await booked(ada, 26)
        made = (await split(ada, booking, equally=2))["shares"]
        used = key()
        assert (await pay_by_link(bob, made[0]["link"], used=used))["status"] == "AUTHORIZED"
        assert (await pay_by_link(bob, made[0]["link"], used=used))["status"] == "AUTHORIZED"
        assert (await pay_by_link(bob, made[0]["link"]))["code"] == "SHARE_PAID"
        shown = await say(bob, LINK, token=made[0]["link"])
        assert shown == nothing_but("PROMISED", made[0]["amount"]["minorUnits"])
        assert (await say(bob, LINK, token=made[1]["link"]))["label"] == made[1]["label"]
        assert (await pay_by_link(bob, made[1]["link"], used=used))["code"] == "IDEMPOTENCY_KEY_REUSED"
        assert (await pay(ada, booking))["__typename"] == "Conflict"
        assert [one["status"] for one in (await shares(ada, booking))["payments"]] == ["AUTHORIZED"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "shares"),
        ({"equally": 2, "shares": []}, "shares"),
        ({"equally": 10}, "equally"),
        ({"shares": [{"amount": {"amount": "1.001", "currency": "USD"}, "label": "Bob"}]}, "shares.0.amount.amount"),
        ({"shares": [{"amount": {"amount": "NaN", "currency": "USD"}, "label": "Bob"}]}, "shares.0.amount.amount"),
        ({"shares": [{"amount": {"amount": "1", "currency": "XXX"}, "label": "Bob"}]}, "shares.0.amount.currency"),
        ({"shares": [{"amount": {"amount": "1", "currency": "USD"}, "label": "Bob"}]}, "shares"),
    ],
)
async def test_what_is_no_split_is_refused_by_its_field(server: Server, wrong: dict[str, Any], field: str) -> None:
    async with Client(server.url) as ada:
        booking = await booked(ada, 27)
        refused = await split(ada, booking, **wrong)
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)
        assert (await shares(ada, booking))["shares"] == []


async def test_nobody_splits_or_links_another_s_booking(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        hers, his = await booked(ada, 28), await booked(bob, 29)
        (foreign, _) = (await split(bob, his, equally=2))["shares"]
        stolen = {"bookingId": hers["id"], "bookingToken": his["accessToken"]}
        wanted = {**stolen, "equally": 2, "idempotencyKey": key()}
        assert (await say(bob, SPLIT, input=wanted))["code"] == "WRONG_TOKEN"
        assert (await say(bob, CREATE_LINK, input=stolen))["code"] == "WRONG_TOKEN"
        assert (await say(bob, CREATE_LINK, input={"bookingId": hers["id"]}))["code"] == "NOT_FOUND"
        assert (await link_to(ada, hers, shareId=foreign["id"]))["code"] == "NOT_FOUND"
        guessed = {"token": foreign["link"], "paymentMethod": "pm_card_visa", "idempotencyKey": "guessable"}
        assert (await say(ada, PAY_BY_LINK, input=guessed))["code"] == "INVALID_INPUT"
        assert (await shares(ada, hers))["shares"] == []


async def test_the_owner_sees_live_how_far_everybody_is(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url) as bob:
        booking = await booked(ada, 30)
        mine = {"bookingId": booking["id"], "token": booking["accessToken"]}
        async with (
            streaming(server.url, "ShareProgress", documents=DOCUMENTS, **mine) as watcher,
            streaming(server.url, "SharePaymentProgress", documents=DOCUMENTS, **mine) as payments,
        ):
            assert (await watcher.next())["booking"]["shares"] == []
            assert (await payments.next())["payments"] == []
            made = (await split(ada, booking, equally=2))["shares"]
            told = await watcher.told("booking.split")
            assert [one["status"] for one in told["booking"]["shares"]] == ["OPEN", "OPEN"]
            await pay_by_link(bob, made[0]["link"], "pm_card_threeDSecure2Required")
            while told["booking"]["shares"][0]["status"] != "UNDER_WAY":
                told = await watcher.next()
            assert told["booking"]["status"] == "PAYMENT_PENDING"
            seen: list[Any] = []
            while not seen or seen[-1]["status"] != "REQUIRES_ACTION":
                seen += (await payments.next())["payments"]
            assert seen[-1] == {"shareId": made[0]["id"], "status": "REQUIRES_ACTION", "redirectUrl": None}
