"""Fraud over HTTP: whoever pays learns nothing; staff see why, decide, and set rules; nobody else does."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import pytest

from tests.api.test_staff import signed_in
from tests.fakes.clients import Client, Watcher
from tests.fakes.servers import Server
from tests.fakes.streams import refused, streaming
from tests.stories.journeys import book, choose, hold, in_days, pay

DOUBTFUL = "pm_card_riskLevelElevated"
QUEUE = """
    query ($first: Int, $after: String) {
        reviewQueue(first: $first, after: $after) {
            totalCount pageInfo { hasNextPage }
            edges { cursor node {
                id status openedAt deadlineAt decision contact { email }
                payment { id status amount { currency } } booking { id pnr contact { email } }
                assessments { moment verdict score level country findings { rule measure most measured verdict } }
            } }
        }
    }
"""
DECIDE = """
    mutation ($input: %s!) {
        %s(input: $input) {
            __typename
            ... on PaymentReview { status decision reason decidedBy payment { status } booking { status } }
            ... on Problem { code }
            ... on InvalidInput { field }
        }
    }
"""
APPROVE = DECIDE % ("ApprovePaymentInput", "approvePayment")
REJECT = DECIDE % ("RejectPaymentInput", "rejectPayment")
RULES = "{ fraudRules { name measure subject seconds currency most verdict setBy reason } }"
SET = """
    mutation ($input: SetFraudRuleInput!) {
        setFraudRule(input: $input) {
            __typename
            ... on FraudRule { name most verdict reason }
            ... on Problem { code }
            ... on InvalidInput { field }
        }
    }
"""
ASSESSED = "query ($id: ID!) { fraudAssessments(bookingId: $id) { moment verdict findings { rule most measured } } }"
OWN = """
    query ($id: ID!, $token: String) {
        booking(id: $id, token: $token) {
            status expiresAt payments { status declineCode clientSecret } timeline { subject to actor }
        }
    }
"""


async def booked(client: Client, day: int) -> Any:
    choice = await choose(client, in_days(day), seats=1)
    return await book(client, choice, await hold(client, choice), ("Ada", "Lovelace"))


async def waiting_for(staff: Client, booking: Any) -> Any:
    """The review of a booking's payment."""
    page = (await staff.post(QUEUE, {"first": 100}))["data"]["reviewQueue"]
    (one,) = [edge["node"] for edge in page["edges"] if edge["node"]["booking"]["id"] == booking["id"]]
    return one


async def seen(client: Client, booking: Any) -> Any:
    """What its owner sees of a booking."""
    return (await client.post(OWN, {"id": booking["id"], "token": booking["accessToken"]}))["data"]["booking"]


async def test_a_payment_in_doubt_is_approved(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url, await signed_in(server, "STAFF")) as staff:
        booking = await booked(ada, 17)
        until = (await seen(ada, booking))["expiresAt"]
        assert (await pay(ada, booking, DOUBTFUL))["status"] == "PROCESSING"
        shown = await seen(ada, booking)
        assert shown["payments"] == [{"status": "PROCESSING", "declineCode": None, "clientSecret": None}]
        assert shown["expiresAt"] == until

        review = await waiting_for(staff, booking)
        assert (review["status"], review["decision"]) == ("REVIEW", None)
        assert (review["contact"], review["booking"]["contact"]) == ({"email": ANY}, None)
        assert review["contact"]["email"].endswith("@example.org")
        assert review["assessments"] == [
            {
                "moment": "ANSWER",
                "verdict": "REVIEW",
                "score": 70,
                "level": "elevated",
                "country": "US",
                "findings": [
                    {"rule": "score_elevated", "measure": "SCORE", "most": 64, "measured": 70, "verdict": "REVIEW"}
                ],
            }
        ]

        decision = {"input": {"paymentId": review["payment"]["id"], "reason": "rang her up"}}
        approved = (await staff.post(APPROVE, decision))["data"]["approvePayment"]
        assert (approved["status"], approved["decision"], approved["reason"]) == ("CAPTURED", "APPROVED", "rang her up")
        assert approved["booking"]["status"] == "CONFIRMED"
        for mutation, field in ((APPROVE, "approvePayment"), (REJECT, "rejectPayment")):
            again = (await staff.post(mutation, decision))["data"][field]
            assert again == {"__typename": "Conflict", "code": "REVIEW_OVER"}
        assert "STAFF" not in {line["actor"] for line in (await seen(ada, booking))["timeline"]}
        assert "REVIEW" not in {line["to"] for line in (await seen(ada, booking))["timeline"]}


async def test_a_payment_in_doubt_is_rejected(server: Server) -> None:
    async with Client(server.url) as ada, Client(server.url, await signed_in(server, "STAFF")) as staff:
        booking = await booked(ada, 18)
        await pay(ada, booking, DOUBTFUL)
        payment_id = (await waiting_for(staff, booking))["payment"]["id"]
        wordless = await staff.post(REJECT, {"input": {"paymentId": payment_id, "reason": " "}})
        assert wordless["data"]["rejectPayment"]["field"] == "reason"
        rejected = await staff.post(REJECT, {"input": {"paymentId": payment_id, "reason": "a stolen card"}})
        assert rejected["data"]["rejectPayment"]["booking"]["status"] == "FAILED"
        assert rejected["data"]["rejectPayment"]["status"] == "VOIDED"
        shown = await seen(ada, booking)
        assert (shown["status"], shown["payments"]) == (
            "FAILED",
            [{"status": "VOIDED", "declineCode": None, "clientSecret": None}],
        )


async def test_rules_are_listed_and_set(server: Server) -> None:
    rule = {"name": "email_payments", "measure": "PAYMENTS", "subject": "EMAIL", "windowSeconds": 3600, "most": 5_000}
    async with Client(server.url, await signed_in(server, "STAFF")) as staff:
        before = {one["name"]: one for one in (await staff.post(RULES))["data"]["fraudRules"]}
        assert before["device_declines"]["verdict"] == "REVIEW"
        answer = await staff.post(SET, {"input": rule | {"verdict": "REVIEW", "reason": "a busy agent"}})
        assert answer["data"]["setFraudRule"] == {
            "__typename": "FraudRule",
            "name": "email_payments",
            "most": 5_000,
            "verdict": "REVIEW",
            "reason": "a busy agent",
        }
        for wrong, field in (({"currency": "USD"}, "currency"), ({"verdict": "BLOCK"}, "verdict")):
            refusal = await staff.post(SET, {"input": rule | {"verdict": "REVIEW", "reason": "x"} | wrong})
            assert refusal["data"]["setFraudRule"] == {
                "__typename": "InvalidInput",
                "code": "INVALID_INPUT",
                "field": field,
            }
        after = (await staff.post(RULES))["data"]["fraudRules"]
        assert {one["name"] for one in after} == {*before, "email_payments"}


@pytest.mark.parametrize(("role", "code"), [(None, "UNAUTHENTICATED"), ("CUSTOMER", "FORBIDDEN")])
async def test_nobody_else_sees_or_decides_anything(server: Server, role: str | None, code: str) -> None:
    token = None if role is None else await signed_in(server, role)
    decision = {"input": {"paymentId": "UGF5bWVudDox", "reason": "mine"}}
    rule = {"name": "mine", "measure": "SCORE", "subject": "PAYMENT", "most": 99, "verdict": "ALLOW", "reason": "mine"}
    async with Client(server.url, token) as client:
        for query in (QUEUE, RULES, '{ fraudAssessments(bookingId: "x") { verdict } }'):
            (error,) = (await client.post(query))["errors"]
            assert error["extensions"]["code"] == code
        for mutation, said in ((APPROVE, decision), (REJECT, decision), (SET, {"input": rule})):
            (answer,) = (await client.post(mutation, said))["data"].values()
            assert answer["code"] == code


async def review_of(watcher: Watcher, booking: Any) -> Any:
    """What staff hear next of a booking. They hear of others too: news of them may have been on its way still."""
    while True:
        for review in (await watcher.next())["reviews"]:
            if review["booking"]["pnr"] == booking["pnr"]:
                return review


async def test_staff_hear_of_what_waits_and_of_what_is_decided(server: Server) -> None:
    token = await signed_in(server, "STAFF")
    async with Client(server.url) as ada, Client(server.url, token) as staff:
        booking = await booked(ada, 19)
        async with streaming(server.url, "ReviewFeed", token) as watcher:
            begins = await watcher.next()
            await pay(ada, booking, DOUBTFUL)
            waits = await review_of(watcher, booking)
            assert (waits["status"], waits["decision"]) == ("REVIEW", None)
            decision = {"input": {"paymentId": waits["payment"]["id"], "reason": "known to us"}}
            await staff.post(APPROVE, decision)
            decided = await review_of(watcher, booking)
            assert (decided["payment"]["id"], decided["decision"]) == (waits["payment"]["id"], "APPROVED")
        async with streaming(server.url, "ReviewFeed", token, after=begins["cursor"]) as again:
            missed = await review_of(again, booking)
            assert missed["payment"]["id"] == waits["payment"]["id"]


@pytest.mark.parametrize(("role", "code"), [(None, "UNAUTHENTICATED"), ("CUSTOMER", "FORBIDDEN")])
async def test_nobody_else_hears_of_it(server: Server, role: str | None, code: str) -> None:
    token = None if role is None else await signed_in(server, role)
    assert await refused(server.url, "ReviewFeed", token) == code


async def test_whoever_pays_and_watches_hears_of_an_ordinary_payment(server: Server) -> None:
    async with Client(server.url) as ada:
        booking = await booked(ada, 20)
        async with streaming(
            server.url, "BookingProgress", bookingId=booking["id"], token=booking["accessToken"]
        ) as watcher:
            await watcher.next()
            await pay(ada, booking, DOUBTFUL)
            happened: list[str] = []
            while "payment.processing" not in happened:
                happened += (await watcher.next())["happened"]
        assert "payment.review" not in happened


async def test_a_device_is_known_by_what_the_client_says(server: Server) -> None:
    rule = {"name": "device_payments_of_a_minute", "measure": "PAYMENTS", "subject": "DEVICE", "windowSeconds": 60}
    doubts = {"input": rule | {"most": 1, "verdict": "REVIEW", "reason": "a test"}}
    allows = {"input": rule | {"most": 1, "verdict": "ALLOW", "reason": "a test"}}
    async with (
        Client(server.url, await signed_in(server, "STAFF")) as staff,
        Client(server.url, device="a laptop") as ada,
        Client(server.url, device="a phone") as grace,
    ):
        await staff.post(SET, doubts)
        first, second, hers = await booked(ada, 21), await booked(ada, 22), await booked(grace, 23)
        assert (await pay(ada, first))["status"] == "CAPTURED"
        assert (await pay(ada, second))["status"] == "PROCESSING"
        assert (await pay(grace, hers))["status"] == "CAPTURED"

        found = await staff.post(ASSESSED, {"id": second["id"]})
        assert found["data"]["fraudAssessments"] == [
            {"moment": "INTENT", "verdict": "REVIEW", "findings": [{"rule": rule["name"], "most": 1, "measured": 2}]},
            {"moment": "ANSWER", "verdict": "REVIEW", "findings": []},
        ]
        await staff.post(SET, allows)
