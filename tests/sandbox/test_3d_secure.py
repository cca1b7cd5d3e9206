"""The bank's page: what the payer sees, and what becomes of the intent."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.sandbox.orders import BACK, held
from tests.sandbox.receiver import Receiver


async def _challenged(pay: stripe.StripeClient, method: str = "pm_card_threeDSecure2Required") -> stripe.PaymentIntent:
    return await pay.v1.payment_intents.create_async(held(payment_method=method))


def _page(intent: stripe.PaymentIntent) -> str:
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert (intent.next_action.type, intent.next_action.redirect_to_url.return_url) == ("redirect_to_url", BACK)
    return str(intent.next_action.redirect_to_url.url)


def _way_back(page: str) -> dict[str, list[str]]:
    link = page.partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert link.startswith("https://shop.example/paid?")
    return parse_qs(urlsplit(link).query)


async def test_completed(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    intent = await _challenged(pay)
    assert (intent.status, intent.amount_capturable) == ("requires_action", 0)
    question = await http.get(_page(intent))
    assert question.status_code == 200
    assert 'value="complete"' in question.text
    assert 'value="fail"' in question.text
    assert "$125.00 USD" in question.text
    answer = await http.post(_page(intent), data={"outcome": "complete"})
    assert "postMessage" in answer.text
    assert _way_back(answer.text) == {
        "booking": ["b1"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [intent.client_secret],
        "redirect_status": ["succeeded"],
    }
    after = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.amount_capturable, after.next_action) == ("requires_capture", 12_500, None)
    receiver.wait(intent.id, "payment_intent.requires_action")
    receiver.wait(intent.id, "payment_intent.amount_capturable_updated")


async def test_failed(pay: stripe.StripeClient, http: httpx.AsyncClient, receiver: Receiver) -> None:
    intent = await _challenged(pay)
    answer = await http.post(_page(intent), data={"outcome": "fail"})
    assert _way_back(answer.text)["redirect_status"] == ["failed"]
    after = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    receiver.wait(intent.id, "payment_intent.payment_failed")


async def test_the_second_answer_changes_nothing(pay: stripe.StripeClient, http: httpx.AsyncClient) -> None:
    intent = await _challenged(pay)
    await http.post(_page(intent), data={"outcome": "complete"})
    before = await pay.v1.payment_intents.retrieve_async(intent.id)
    answer = await http.post(_page(intent), data={"outcome": "fail"})
    assert _way_back(answer.text)["redirect_status"] == ["succeeded"]
    assert await pay.v1.payment_intents.retrieve_async(intent.id) == before


async def test_authenticated_and_still_declined(pay: stripe.StripeClient, http: httpx.AsyncClient) -> None:
    intent = await _challenged(pay, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    answer = await http.post(_page(intent), data={"outcome": "complete"})
    assert _way_back(answer.text)["redirect_status"] == ["failed"]
    after = await pay.v1.payment_intents.retrieve_async(intent.id)
    assert after.last_payment_error is not None
    assert (after.status, after.last_payment_error.decline_code) == ("requires_payment_method", "insufficient_funds")


@pytest.mark.parametrize("change", ["/nonce", "x"])
async def test_a_guessed_address_shows_nothing(pay: stripe.StripeClient, http: httpx.AsyncClient, change: str) -> None:
    intent = await _challenged(pay)
    guessed = _page(intent).rpartition("/")[0] + change if change == "/nonce" else _page(intent) + change
    answer = await http.post(guessed, data={"outcome": "complete"})
    assert answer.status_code == 404
    assert (await pay.v1.payment_intents.retrieve_async(intent.id)).status == "requires_action"


async def test_the_page_runs_no_foreign_script(pay: stripe.StripeClient, http: httpx.AsyncClient) -> None:
    intent = await _challenged(pay)
    await pay.v1.payment_intents.update_async(intent.id, {"description": "<script>alert(1)</script>"})
    page = await http.get(_page(intent))
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_browser_sees_its_own_intent_only(pay: stripe.StripeClient, http: httpx.AsyncClient) -> None:
    intent = await _challenged(pay)
    browser = {"Authorization": "Bearer pk_test_jetway", "Origin": "https://shop.example"}
    path = f"/v1/payment_intents/{intent.id}"
    seen = await http.get(path, params={"client_secret": str(intent.client_secret)}, headers=browser)
    assert (seen.status_code, seen.json()["status"]) == (200, "requires_action")
    assert "metadata" not in seen.json()
    assert seen.headers["access-control-allow-origin"] == "*"
    assert (await http.get(path, params={"client_secret": "guess"}, headers=browser)).status_code == 400
    assert (await http.get("/v1/payment_intents", headers=browser)).status_code == 401
