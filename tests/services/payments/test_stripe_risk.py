"""What Stripe tells of who pays: Radar's score, the card's country and, unless it is a test card, the card, hashed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from core.money import Money
from services.gateways import Authorised, Declined, Gateways, NeedsAction, Order, Risk
from services.gateways.stripe_risk import card_key, risk_of
from tests.fakes.sandbox import Sandbox

KEY = card_key("sk_live_ours")


def order(method: str) -> Order:
    return Order(
        payment_id=uuid4(),
        booking_id=uuid4(),
        pnr="ABCDEF",
        amount=Money(123_45, "USD"),
        method=method,
        return_url="https://shop.example/paid",
        created_at=datetime.now(UTC),
    )


def intent(charge: dict[str, Any] | None, *, live: bool = True, **more: Any) -> dict[str, Any]:
    """A PaymentIntent as Stripe writes it."""
    return {"id": "pi_1", "object": "payment_intent", "livemode": live, "latest_charge": charge, **more}


def charge(fingerprint: str, **outcome: Any) -> dict[str, Any]:
    details = {"type": "card", "card": {"fingerprint": fingerprint, "country": "PT"}}
    return {"id": "ch_1", "object": "charge", "outcome": outcome, "payment_method_details": details}


@pytest.mark.parametrize(
    ("method", "score", "level"), [("pm_card_visa", 20, "normal"), ("pm_card_riskLevelElevated", 70, "elevated")]
)
async def test_radars_score_comes_with_what_is_promised(
    gateways: Gateways, method: str, score: int, level: str
) -> None:
    one = order(method)
    outcome = await gateways.default.authorise(one)
    assert isinstance(outcome, Authorised)
    assert outcome.risk == Risk(score=score, level=level, card=None, country="US")
    assert await gateways.default.fetch(outcome.gateway_id) == outcome
    assert await gateways.default.find(one) == outcome


async def test_radars_score_comes_with_what_the_bank_was_asked_about(gateways: Gateways, sandbox: Sandbox) -> None:
    waiting = await gateways.default.authorise(order("pm_card_threeDSecure2Required"))
    assert isinstance(waiting, NeedsAction)
    assert waiting.redirect_url is not None
    await sandbox.answer_challenge(waiting.redirect_url, "complete")
    outcome = await gateways.default.fetch(waiting.gateway_id)
    assert isinstance(outcome, Authorised)
    assert outcome.risk.score == 20


async def test_a_declined_card_is_known_too(gateways: Gateways) -> None:
    outcome = await gateways.default.authorise(order("pm_card_radarBlock"))
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.risk.country) == ("fraudulent", "US")


def test_a_card_is_known_again_and_by_nobody_else() -> None:
    card = risk_of(intent(charge("f1", risk_level="normal", risk_score=3)), KEY)
    assert (card.score, card.level, card.country) == (3, "normal", "PT")
    assert card.card is not None
    assert len(card.card) == 16
    assert risk_of(intent(charge("f1")), KEY).card == card.card
    assert risk_of(intent(charge("f2")), KEY).card != card.card
    assert risk_of(intent(charge("f1")), card_key("sk_live_theirs")).card != card.card


def test_the_method_that_was_declined_tells_its_card() -> None:
    error = {"payment_method": {"type": "card", "card": {"fingerprint": "f1", "country": "PT"}}}
    declined = risk_of(intent(None, last_payment_error=error), KEY)
    assert declined == Risk(card=risk_of(intent(charge("f1")), KEY).card, country="PT")


def test_test_cards_are_everybodys() -> None:
    assert risk_of(intent(charge("f1"), live=False), KEY).card is None


@pytest.mark.parametrize(("level", "score"), [("normal", 0), ("elevated", 65), ("highest", 75), ("not_assessed", None)])
def test_a_level_stands_for_the_score_that_it_begins_with(level: str, score: int | None) -> None:
    assert risk_of(intent(charge("f1", risk_level=level, risk_score=None)), KEY).score == score


def test_what_is_not_told_is_not_known() -> None:
    assert risk_of(intent(None), KEY) == Risk()
