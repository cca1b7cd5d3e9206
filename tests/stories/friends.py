"""What whoever splits a price sends, and whoever pays a share: the operations of docs/contract/shares.graphql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.clients import Client, key

DOCUMENTS = (Path(__file__).parents[2] / "docs" / "contract" / "shares.graphql").read_text()

SPLIT = "SplitPayment"
SHARES = "Shares"
LINK = "PaymentLink"
CREATE_LINK = "CreatePaymentLink"
PAY_BY_LINK = "PayByLink"


async def say(client: Client, operation: str, **variables: Any) -> Any:
    """The one answer to an operation of the contract, which has no errors."""
    answer = await client.post(DOCUMENTS, variables, operation)
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
