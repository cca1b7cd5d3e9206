"""What whoever splits a price sends, and whoever pays a share: documents, and how they are sent."""

from __future__ import annotations

from typing import Any

from tests.fakes.clients import Client, key

SPLIT = """
    mutation ($input: SplitPaymentInput!) {
        splitPayment(input: $input) {
            __typename
            ... on Booking { id shares { id label amount { minorUnits currency } status link } }
            ... on InvalidInput { code field message }
            ... on Problem { code message }
        }
    }
"""
SHARES = """
    query ($id: ID!, $token: String) {
        booking(id: $id, token: $token) {
            status
            shares { label status declineCode link }
            payments { shareId status clientSecret redirectUrl }
        }
    }
"""
LINK = """
    query ($token: String!) {
        paymentLink(token: $token) {
            pnr label status expiresAt amount { minorUnits }
            slices { segments { flight { designator origin { iataCode } } } }
        }
    }
"""
CREATE_LINK = """
    mutation ($input: CreatePaymentLinkInput!) {
        createPaymentLink(input: $input) {
            __typename
            ... on PaymentLink { token amount { minorUnits } label status }
            ... on Problem { code message }
        }
    }
"""
PAY_BY_LINK = """
    mutation ($input: PayByLinkInput!) {
        payByLink(input: $input) {
            __typename
            ... on LinkPayment { status redirectUrl clientSecret amount { minorUnits } link { status } }
            ... on PaymentDeclined { code declineCode retryable }
            ... on Problem { code message }
        }
    }
"""


async def say(client: Client, document: str, **variables: Any) -> Any:
    """The one answer to a document, which has no errors."""
    answer = await client.post(document, variables)
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    return data


async def split(client: Client, booking: Any, **how: Any) -> Any:
    """Split a guest's booking."""
    wanted = {"bookingId": booking["id"], "bookingToken": booking["accessToken"], "idempotencyKey": key(), **how}
    return await say(client, SPLIT, input=wanted)


async def shares(client: Client, booking: Any) -> Any:
    """The booking with its shares, as its owner sees it."""
    return await say(client, SHARES, id=booking["id"], token=booking["accessToken"])


async def pay_by_link(client: Client, token: str, method: str = "pm_card_visa", used: str | None = None) -> Any:
    """Pay what a link is for."""
    back = f"{client.url}/static/returned.html"
    wanted = {"token": token, "paymentMethod": method, "idempotencyKey": used or key(), "returnUrl": back}
    return await say(client, PAY_BY_LINK, input=wanted)
