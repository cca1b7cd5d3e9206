"""PayPal's webhooks: the signature is checked with the certificate that PayPal publishes, and with no other."""

from __future__ import annotations

import base64
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import text

from core.errors import Forbidden, NotFound
from models import Payment
from services import bookings, payments
from services.gateways import Gateways
from tests.factories.bookings import GUEST, Desk, key, snapshot
from tests.fakes.mailbox import Letter, Mailbox, mailbox
from tests.fakes.sandbox import Sandbox, connected, started

Told = tuple[Sandbox, Mailbox]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """A sandbox that sends PayPal's webhooks, and where they arrive."""
    with ExitStack() as stack:
        letters = stack.enter_context(mailbox())
        flags = ("--paypal-webhook-url", letters.url, "--paypal-webhook-events", "CHECKOUT.*")
        yield stack.enter_context(started(*flags)), letters


@pytest.fixture
async def gateways(told: Told) -> AsyncIterator[Gateways]:
    registry = connected(told[0])
    yield registry
    await registry.close()


async def agreed(desk: Desk, gateways: Gateways, told: Told) -> tuple[Payment, Letter]:
    """A payment whose payer has agreed at PayPal, and the letter that tells it."""
    booking = await desk.booked("3A")
    back = "https://shop.example/paid"
    payment = await bookings.pay(desk.database, gateways, booking.id, "paypal", back, GUEST, key())
    await told[0].agree(str(payment.redirect_url))
    return payment, told[1].next()


async def test_a_letter_of_paypals_moves_its_booking_on(desk: Desk, gateways: Gateways, told: Told) -> None:
    payment, (body, headers) = await agreed(desk, gateways, told)
    event = orjson.loads(body)
    assert (event["event_type"], event["resource"]["id"]) == ("CHECKOUT.ORDER.APPROVED", payment.gateway_id)
    for _ in range(2):
        await payments.receive(desk.database, gateways, "paypal", body, headers)
        await payments.handle_event(desk.database, gateways, "paypal", event["id"])
    await bookings.advance(desk.database, gateways, payment.booking_id)
    async with desk.database.reading() as session:
        assert await session.scalar(text("SELECT status FROM payments")) == "CAPTURED"
        assert await session.scalar(text("SELECT count(*) FROM webhook_events")) == 1


async def test_a_letter_that_is_sent_twice_is_signed_twice(desk: Desk, gateways: Gateways, told: Told) -> None:
    await told[0].ask("POST", "/sandbox/faults", {"kind": "webhook_duplicate", "event": "CHECKOUT.*"})
    _, first = await agreed(desk, gateways, told)
    second = told[1].next()
    assert first[0] == second[0]
    assert first[1]["paypal-transmission-id"] != second[1]["paypal-transmission-id"]
    for body, headers in (first, second):
        await payments.receive(desk.database, gateways, "paypal", body, headers)
    async with desk.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM webhook_events")) == 1


def resigned(letter: Letter, **change: str) -> Letter:
    """The same by somebody else's key, otherwise as PayPal would have it."""
    body, headers = letter[0], letter[1] | {f"paypal-{name.replace('_', '-')}": value for name, value in change.items()}
    said = f"{headers['paypal-transmission-id']}|{headers['paypal-transmission-time']}|WH-SANDBOX|{zlib.crc32(body)}"
    forger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signature = forger.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
    return body, headers | {"paypal-transmission-sig": base64.b64encode(signature).decode()}


def changed(letter: Letter, **change: str) -> Letter:
    """The same with some headers otherwise."""
    return letter[0], letter[1] | {f"paypal-{name.replace('_', '-')}": value for name, value in change.items()}


def long_ago() -> str:
    return (datetime.now(UTC) - timedelta(minutes=6)).isoformat(timespec="seconds")


FORGERIES: dict[str, Callable[[Letter], Letter]] = {
    "another body": lambda letter: (letter[0] + b" ", letter[1]),
    "another time": lambda letter: changed(letter, transmission_time=datetime.now(UTC).isoformat()),
    "too old": lambda letter: resigned(letter, transmission_time=long_ago()),
    "no time": lambda letter: changed(letter, transmission_time="now"),
    "another key": resigned,
    "no signature": lambda letter: changed(letter, transmission_sig=""),
    "unsigned": lambda letter: (letter[0], {}),
    "another server's certificate": lambda letter: resigned(
        letter, cert_url="http://127.0.0.1:9/v1/notifications/certs/C"
    ),
    "a certificate from elsewhere": lambda letter: changed(letter, cert_url=f"{letter[1]['paypal-cert-url']}/../x"),
    "an address that is none": lambda letter: changed(letter, cert_url="https://[/v1/notifications/certs/C"),
    "no certificate": lambda letter: changed(letter, cert_url=""),
}


async def test_refused_with_nothing_stored(desk: Desk, gateways: Gateways, told: Told) -> None:
    _, letter = await agreed(desk, gateways, told)
    before = await snapshot(desk.database)
    for name, forge in FORGERIES.items():
        with pytest.raises(Forbidden):
            await payments.receive(desk.database, gateways, "paypal", *forge(letter))
        assert await snapshot(desk.database) == before, name


async def test_for_another_webhook_of_ours(desk: Desk, gateways: Gateways, told: Told) -> None:
    _, letter = await agreed(desk, gateways, told)
    with pytest.raises(Forbidden):
        await payments.receive(desk.database, gateways, "stripe", *letter)
    with pytest.raises(NotFound):
        await payments.receive(desk.database, gateways, "razorpay", *letter)


async def test_what_is_no_event(gateways: Gateways) -> None:
    nonsense: list[dict[str, Any]] = [{}, {"event_type": "X"}]
    for payload in nonsense:
        with pytest.raises(LookupError):
            gateways.named("paypal").read_event(payload)
