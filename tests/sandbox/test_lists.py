"""Walking the lists, as a reconciler does, and what documents look like."""

import typing

import httpx
import pytest
import stripe

from tests.sandbox.orders import order


async def test_every_intent_once_newest_first(pay: stripe.StripeClient) -> None:
    made = [(await pay.v1.payment_intents.create_async({"amount": 500, "currency": "usd"})) for _ in range(5)]
    page = await pay.v1.payment_intents.list_async({"limit": 2, "created": {"gte": made[0].created}})
    walked = [intent.id async for intent in page.auto_paging_iter()]
    assert walked[:5] == [intent.id for intent in reversed(made)]
    assert len(set(walked)) == len(walked)
    earlier = await pay.v1.payment_intents.list_async({"limit": 2, "ending_before": made[2].id})
    assert [intent.id for intent in earlier.data] == [made[4].id, made[3].id]
    none = await pay.v1.payment_intents.list_async({"created": {"gt": made[-1].created + 10**6}})
    assert none.data == []


async def test_bad_cursors_and_limits(http: httpx.AsyncClient) -> None:
    for query in ({"limit": "0"}, {"limit": "101"}, {"starting_after": "pi_none"}, {"colour": "red"}):
        assert (await http.get("/v1/payment_intents", params=query)).status_code == 400


async def test_unknown_things_are_missing(http: httpx.AsyncClient) -> None:
    for path in ("payment_intents/pi_x", "refunds/re_x", "charges/ch_x", "events/evt_x", "payment_methods/pm_x"):
        answer = await http.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    assert (await http.get("/v1/unheard_of")).status_code == 404


@pytest.mark.parametrize("kind", ["PaymentIntent", "Charge", "Refund", "PaymentMethod", "BalanceTransaction", "Event"])
async def test_documents_have_the_fields_that_the_sdk_knows(
    pay: stripe.StripeClient, http: httpx.AsyncClient, kind: str
) -> None:
    intent = await pay.v1.payment_intents.create_async(order())
    charge = await pay.v1.charges.retrieve_async(str(intent.latest_charge))
    refund = await pay.v1.refunds.create_async({"payment_intent": intent.id})
    paths = {
        "PaymentIntent": f"payment_intents/{intent.id}",
        "Charge": f"charges/{charge.id}",
        "Refund": f"refunds/{refund.id}",
        "PaymentMethod": f"payment_methods/{intent.payment_method}",
        "BalanceTransaction": f"balance_transactions/{charge.balance_transaction}",
        "Event": f"events/{(await pay.v1.events.list_async({'limit': 1})).data[0].id}",
    }
    document = (await http.get(f"/v1/{paths[kind]}")).json()
    known = getattr(stripe, kind).__annotations__
    required = {name for name, hint in known.items() if not _optional(hint)}
    assert set(document) - set(known) == set()
    assert required - set(document) == set()


def _optional(hint: object) -> bool:
    return type(None) in typing.get_args(hint) or typing.get_origin(hint) is typing.ClassVar
