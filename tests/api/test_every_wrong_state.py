"""Every mutation of a booking, in every state of it: what may not be is refused by type, and nothing is changed.

The table says what each answers where. A mutation joins it by its document, its variables and a line of answers.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import stripe
from sqlalchemy import text

from core import tokens
from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from models import Booking, Role
from resolvers.access import token_for
from services.bookings import links
from services.gateways import Gateways
from services.seats import Plans
from tests.factories.bookings import Desk, pass_time
from tests.factories.mutations import (
    Case,
    cancel_booking,
    case_in,
    confirm_change,
    create_booking,
    decide,
    extend_hold,
    owned,
    pay_booking,
    pay_by_link,
    quote_change,
    release_hold,
    split_payment,
    update_passenger,
)
from tests.factories.schedules import Schedule
from tests.factories.states import STATES, Road
from tests.fakes.clients import Client, key
from tests.fakes.inside import Inside, serving
from tests.fakes.people import ACCOUNT, SIGN_IN
from tests.fakes.sandbox import SECRET, Sandbox

GOES = ""
"""It may be done in that state: other tests do it."""


@dataclass(frozen=True)
class Mutation:
    """How a mutation is asked for a case, and its answers: type and code, by state; where it may be done, GOES.

    `token` is the field of its input that proves whose the booking is; None where staff alone may ask, or a link says
    all. `wrong` is the answer to a wrong one.
    """

    variables: Callable[[Case], dict[str, Any]]
    answers: Mapping[str, str]
    token: str | None = "bookingToken"
    wrong: str = "Forbidden WRONG_TOKEN"
    staff: bool = False


PENDING = tuple(state for state in STATES if state.startswith("PAYMENT_PENDING"))
FLOWN = ("CHECKED_IN", "COMPLETED", "NO_SHOW")
ENDED = ("EXPIRED", "FAILED", "CANCELLED")

UNDER_WAY, ALREADY_PAID = "Conflict PAYMENT_UNDER_WAY", "Conflict ALREADY_PAID"
WRONG_STATE, HOLD_BOOKED = "Conflict WRONG_STATE", "Conflict HOLD_BOOKED"
QUOTE_EXPIRED, KEY_REUSED = "QuoteExpired QUOTE_EXPIRED", "Conflict IDEMPOTENCY_KEY_REUSED"
HOLD_EXPIRED, NOT_FOUND = "HoldExpired HOLD_EXPIRED", "NotFound NOT_FOUND"


def answers(unpaid: str, pending: str, paid: str, flown: str, ended: str, **more: str) -> dict[str, str]:
    """Answers by groups of states; `more` are those of single ones."""
    groups = (("SEATS_LOCKED",), PENDING, ("CONFIRMED",), FLOWN, ENDED)
    by_group = zip(groups, (unpaid, pending, paid, flown, ended), strict=True)
    return {state: answer for states, answer in by_group for state in states} | more


HOLDS = answers(*[HOLD_BOOKED] * 5)
"""From the booking on, its hold is the booking's."""

PAYING = answers(GOES, UNDER_WAY, ALREADY_PAID, ALREADY_PAID, WRONG_STATE, EXPIRED=HOLD_EXPIRED)
REVIEWING = answers(*[NOT_FOUND] * 5) | {"PAYMENT_PENDING REVIEW": GOES}
"""Staff decide about what waits for them; nothing else has a review."""


MUTATIONS: Mapping[str, Mutation] = {
    "createBooking": Mutation(create_booking, HOLDS, "holdToken"),
    "extendHold": Mutation(extend_hold, HOLDS, "token"),
    "releaseHold": Mutation(release_hold, HOLDS, "token"),
    "payBooking": Mutation(pay_booking, PAYING),
    "splitPayment": Mutation(split_payment, PAYING),
    "createPaymentLink": Mutation(owned, PAYING),
    "payByLink": Mutation(pay_by_link, PAYING, token=None),
    "updatePassenger": Mutation(update_passenger, answers(GOES, GOES, GOES, WRONG_STATE, WRONG_STATE)),
    "quoteChange": Mutation(quote_change, answers(WRONG_STATE, UNDER_WAY, GOES, WRONG_STATE, WRONG_STATE)),
    # Only a booking that was paid has quotes of changes.
    "confirmChange": Mutation(
        confirm_change,
        answers(NOT_FOUND, NOT_FOUND, GOES, WRONG_STATE, WRONG_STATE, EXPIRED=NOT_FOUND, FAILED=NOT_FOUND),
        wrong=NOT_FOUND,
    ),
    "quoteCancellation": Mutation(owned, answers(GOES, UNDER_WAY, GOES, WRONG_STATE, WRONG_STATE)),
    "cancelBooking": Mutation(
        cancel_booking,
        answers(GOES, UNDER_WAY, QUOTE_EXPIRED, WRONG_STATE, WRONG_STATE, EXPIRED=QUOTE_EXPIRED),
        # Whose token a quote takes is known once it is read: nobody learns from the answer whether there is one.
        wrong=NOT_FOUND,
    ),
    "approvePayment": Mutation(decide, REVIEWING, token=None, staff=True),
    "rejectPayment": Mutation(decide, REVIEWING, token=None, staff=True),
}
"""The quote of `cancelBooking` was made before anything was paid."""


QUOTE_CHANGE = "mutation ($input: QuoteChangeInput!) { quoteChange(input: $input) { ... on Amendment { id } } }"


@pytest.fixture
async def house(database_url: str, redis_url: str, sandbox: Sandbox) -> AsyncIterator[Inside]:
    async with serving(database_url, redis_url, sandbox) as inside:
        yield inside


@pytest.fixture
def road(
    database: Database,
    schedule: Schedule,
    house: Inside,
    plans: Plans,
    gateways: Gateways,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> Road:
    return Road(Desk(database, house.keyring, plans, schedule), gateways, sandbox, monkeypatch)


async def digest(database: Database, sandbox: Sandbox, booking: Booking) -> dict[str, object]:
    """Everything that a refusal must leave as it was: every table, and the gateway's books of the booking."""
    names = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
    rows = "SELECT '{0}', md5(string_agg(CAST(row AS text), '|' ORDER BY CAST(row AS text))) FROM {0} AS row"
    async with database.reading() as session:
        every = " UNION ALL ".join(rows.format(name) for name in await session.scalars(text(names)))
        found: dict[str, object] = dict(map(tuple, await session.execute(text(every))))
    intents = await sandbox.intents(booking.id)
    found["gateway"] = [(one["id"], one["status"], one["amount_received"]) for one in intents]
    for one in intents:
        listed = await sandbox.ask("GET", f"/v1/refunds?payment_intent={one['id']}")
        found[one["id"]] = [(refund["id"], refund["status"], refund["amount"]) for refund in listed["data"]]
    return found


async def ask(client: Client, mutation: str, variables: dict[str, Any]) -> str:
    """What a mutation answers: its type, and the code where that is a problem."""
    type_ = mutation[0].upper() + mutation[1:]
    document = (
        f"mutation ($input: {type_}Input!) {{ {mutation}(input: $input) {{ __typename ... on Problem {{ code }} }} }}"
    )
    answer = await client.post(document, {"input": variables})
    assert "errors" not in answer, (mutation, answer)
    data = answer["data"][mutation]
    return " ".join(data.values())


@pytest.mark.parametrize("state", STATES)
async def test_what_may_not_be_is_refused_and_nothing_changes(road: Road, house: Inside, state: str) -> None:
    case = await case_in(road, state)
    async with road.desk.database.reading() as session:
        found = await session.execute(text("SELECT b.status, p.status FROM bookings b LEFT JOIN payments p ON true"))
        booking, payment = found.one()
    assert (booking, payment or "") == (state.split()[0], STATES[state][1])
    clerk = await somebody_signed_in(road, Role.STAFF)
    before = await digest(road.desk.database, road.sandbox, case.booking)
    refused = {name: one for name, one in MUTATIONS.items() if one.answers[state] != GOES}
    async with Client(house.url) as guest, Client(house.url, clerk) as staff:
        answered = {
            name: await ask(staff if one.staff else guest, name, one.variables(case)) for name, one in refused.items()
        }
    assert answered == {name: one.answers[state] for name, one in refused.items()}
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


@pytest.mark.parametrize("state", ["SEATS_LOCKED", "CONFIRMED"])
async def test_nobody_else_gets_further_than_not_found(road: Road, house: Inside, state: str) -> None:
    """Without a token, with a token that is none, with that of another row, and signed in as somebody else."""
    case, stranger = await case_in(road, state), await somebody_signed_in(road)
    before = await digest(road.desk.database, road.sandbox, case.booking)
    async with Client(house.url) as guest, Client(house.url, stranger) as signed_in:
        for name, one in MUTATIONS.items():
            variables = one.variables(case)
            if one.staff:
                assert await ask(guest, name, variables) == "Forbidden UNAUTHENTICATED", name
                assert await ask(signed_in, name, variables) == "Forbidden FORBIDDEN", name
            if one.token is None:
                continue
            kind = "Booking" if one.token == "bookingToken" else "Hold"
            assert await ask(guest, name, variables | {one.token: None}) == NOT_FOUND, name
            assert await ask(signed_in, name, variables | {one.token: None}) == NOT_FOUND, name
            for token in ("x", token_for(house.keyring, kind, uuid4())):
                assert await ask(guest, name, variables | {one.token: token}) == one.wrong, name
        for token in ("x", case.token, links.sign(Keyring((os.urandom(32),)), case.linked)):
            assert await ask(guest, "payByLink", pay_by_link(case) | {"token": token}) == "Forbidden WRONG_TOKEN"
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


async def somebody_signed_in(road: Road, role: Role = Role.CUSTOMER) -> str:
    """The access token of somebody who has nothing to do with it."""
    user_id, session_id = uuid7(), uuid7()
    connection = await road.desk.database.connect(lock_timeout="5s")
    await connection.execute(ACCOUNT, user_id, "eve@example.org", role)
    await connection.execute(SIGN_IN, session_id, user_id)
    await connection.close()
    return tokens.issue(road.desk.keyring, user_id=user_id, session_id=session_id, role=role)[0]


async def test_a_key_stands_for_one_request(road: Road, house: Inside) -> None:
    case = await case_in(road, "SEATS_LOCKED")
    async with Client(house.url) as client:
        again = create_booking(case) | {"idempotencyKey": case.key}
        assert await ask(client, "createBooking", again) == KEY_REUSED
        paid = pay_booking(case)
        assert await ask(client, "payBooking", paid) == "Payment"
        before = await digest(road.desk.database, road.sandbox, case.booking)
        assert await ask(client, "payBooking", paid | {"paymentMethod": "pm_card_mastercard"}) == KEY_REUSED
        assert await ask(client, "payBooking", paid | {"returnUrl": None}) == KEY_REUSED
        assert await digest(road.desk.database, road.sandbox, case.booking) == before
        cancelled = cancel_booking(case) | {"quoteId": await quote_of(client, case)}
        assert await ask(client, "cancelBooking", cancelled) == "Booking"
        before = await digest(road.desk.database, road.sandbox, case.booking)
        assert await ask(client, "cancelBooking", cancelled | {"quoteId": case.quote}) == KEY_REUSED
        assert await ask(client, "cancelBooking", cancelled | {"idempotencyKey": key()}) == "QuoteExpired QUOTE_SPENT"
        for name, variables in (("payBooking", paid), ("cancelBooking", cancelled)):
            assert await ask(client, name, variables) in ("Payment", "Booking")
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


async def test_keys_of_splits_links_and_changes_stand_for_one_request_too(road: Road, house: Inside) -> None:
    case = await case_in(road, "SEATS_LOCKED")
    async with Client(house.url) as client:
        paid = pay_by_link(case)
        assert await ask(client, "payByLink", paid) == "LinkPayment"
        before = await digest(road.desk.database, road.sandbox, case.booking)
        assert await ask(client, "payByLink", paid | {"paymentMethod": "pm_card_mastercard"}) == KEY_REUSED
        # The owner's keys are apart from those of whoever has a link.
        assert await ask(client, "payBooking", owned(case) | without(paid, "token")) == ALREADY_PAID
        assert await digest(road.desk.database, road.sandbox, case.booking) == before
        first, second = [(await client.post(QUOTE_CHANGE, {"input": quote_change(case)})) for _ in range(2)]
        changed = confirm_change(case) | {"quoteId": first["data"]["quoteChange"]["id"]}
        assert await ask(client, "confirmChange", changed) == "Amendment"
        before = await digest(road.desk.database, road.sandbox, case.booking)
        other = {"quoteId": second["data"]["quoteChange"]["id"]}
        assert await ask(client, "confirmChange", changed | other) == KEY_REUSED
        assert await ask(client, "confirmChange", changed | {"idempotencyKey": key()}) == "QuoteExpired QUOTE_SPENT"
        assert await ask(client, "confirmChange", changed | other | {"idempotencyKey": key()}) == QUOTE_EXPIRED
        assert await ask(client, "confirmChange", changed) == "Amendment"
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


async def test_amounts_that_are_not_the_price_split_nothing(road: Road, house: Inside) -> None:
    case = await case_in(road, "SEATS_LOCKED")
    before = await digest(road.desk.database, road.sandbox, case.booking)
    price = case.booking.total
    async with Client(house.url) as client:
        for first, rest, currency in (
            (1, price, "USD"),
            (1, price - 2, "USD"),
            (0, price, "USD"),
            (1, price - 1, "EUR"),
        ):
            amounts = [{"amount": f"{part / 100:.2f}", "currency": currency} for part in (first, rest)]
            shares = [{"amount": amount, "label": "a friend"} for amount in amounts]
            asked = owned(case) | {"shares": shares, "idempotencyKey": key()}
            assert (await ask(client, "splitPayment", asked)).split()[0] == "InvalidInput", amounts
        for count in (-1, 0, 1, 10):
            asked = split_payment(case) | {"equally": count}
            assert (await ask(client, "splitPayment", asked)).split()[0] == "InvalidInput", count
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


def without(variables: dict[str, Any], name: str) -> dict[str, Any]:
    """The same but for one of them."""
    return {key_: value for key_, value in variables.items() if key_ != name}


async def test_a_quote_that_has_expired_cancels_nothing(road: Road, house: Inside) -> None:
    case = await case_in(road, "CONFIRMED")
    async with Client(house.url) as client:
        late = cancel_booking(case) | {"quoteId": await quote_of(client, case)}
        await pass_time(road.desk.database, timedelta(minutes=15))
        before = await digest(road.desk.database, road.sandbox, case.booking)
        assert await ask(client, "cancelBooking", late) == QUOTE_EXPIRED
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


async def quote_of(client: Client, case: Case) -> str:
    """A quote for cancelling it as it is now."""
    quote = await client.do("QuoteCancellation", **owned(case))
    return str(quote["id"])


async def test_a_method_that_is_none_and_an_address_that_is_none_pay_nothing(road: Road, house: Inside) -> None:
    case = await case_in(road, "SEATS_LOCKED")
    before = await digest(road.desk.database, road.sandbox, case.booking)
    wrong = [{"paymentMethod": ""}, {"paymentMethod": "4242 4242"}, {"returnUrl": "javascript:alert(1)"}]
    async with Client(house.url) as client:
        for change in (*wrong, {"idempotencyKey": "1"}):
            assert await ask(client, "payBooking", pay_booking(case) | change) == "InvalidInput INVALID_INPUT", change
        for id_ in ("", "x", case.hold):
            assert await ask(client, "payBooking", pay_booking(case) | {"bookingId": id_}) == "InvalidInput INVALID_ID"
    assert await digest(road.desk.database, road.sandbox, case.booking) == before


async def test_webhooks_that_nobody_may_send_are_not_stored(road: Road, house: Inside) -> None:
    case = await case_in(road, "PAYMENT_PENDING REQUIRES_ACTION")
    (intent,) = await road.sandbox.intents(case.booking.id)
    event = {"id": "evt_forged", "object": "event", "type": "payment_intent.succeeded", "data": {"object": intent}}
    before = await digest(road.desk.database, road.sandbox, case.booking)
    body = json.dumps(event)
    sent = int(time.time())
    sign = stripe.WebhookSignature.generate_signature_header
    about_another = json.dumps(event | {"account": "acct_other"})
    async with httpx.AsyncClient(base_url=house.url) as client:
        for content, signature in (
            (body, None),
            (body, sign(body, "whsec_other", sent)),
            (body, sign(body, SECRET, sent - 301)),
            (body + " ", sign(body, SECRET, sent)),
            (about_another, sign(about_another, SECRET, sent)),
        ):
            headers = {} if signature is None else {"stripe-signature": signature}
            answer = await client.post("/webhooks/stripe", content=content, headers=headers)
            assert answer.status_code == 400, answer.text
        assert (await client.post("/webhooks/nobody", content=body)).status_code == 404
    assert await digest(road.desk.database, road.sandbox, case.booking) == before
