"""Offers: the token is the offer, and nobody makes one but us."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from models import Cabin, PriceLineKind
from services import offers
from services.fares import Party, PriceLine
from services.offers import Charged, Offer, OfferSegment

NOON = datetime(2026, 12, 15, 12, 0, 0, 987_654, tzinfo=UTC)
KEYRING, OTHER = Keyring((b"n" * 32,)), Keyring((b"o" * 32,))
PARTY = Party(adults=2, children=1, infants=1)
SEGMENT = OfferSegment(slot_id=7, cabin=Cabin.ECONOMY, booking_class="M", family_code="MAIN")
LINES = (
    PriceLine(kind=PriceLineKind.FARE, label="Main fare, 2 × adult", amount=Money(200_00, "USD")),
    PriceLine(kind=PriceLineKind.TAX, label="US transportation tax", amount=Money(15_00, "USD")),
)

segments = st.builds(
    OfferSegment,
    slot_id=st.integers(1, 2**53),
    cabin=st.sampled_from(Cabin),
    booking_class=st.text(max_size=2),
    family_code=st.text(max_size=9),
)
lines = st.builds(
    PriceLine,
    kind=st.sampled_from(PriceLineKind),
    label=st.text(max_size=20),
    amount=st.integers(-(2**53), 2**53).map(lambda minor_units: Money(minor_units, "JPY")),
)
parties = st.builds(Party, adults=st.integers(0, 9), children=st.integers(0, 9), infants=st.integers(0, 9))


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


def made(keyring: Keyring = KEYRING) -> Offer:
    return offers.make(keyring, PARTY, (SEGMENT,), LINES, "USD")


def refused(token: str) -> None:
    """Assert that `token` is no offer."""
    with pytest.raises(Invalid) as refusal:
        offers.read(KEYRING, token)
    assert (refusal.value.code, refusal.value.field) == ("INVALID_OFFER", "offerId")


def test_what_was_offered_is_read() -> None:
    offer = made()
    assert offers.read(KEYRING, offer.id) == offer
    assert (offer.party, offer.segments, offer.lines, offer.total) == (PARTY, (SEGMENT,), LINES, Money(215_00, "USD"))
    assert offer.expires_at == datetime(2026, 12, 15, 12, 30, tzinfo=UTC)


def test_each_line_is_for_one_of_the_flights() -> None:
    back = replace(SEGMENT, slot_id=8)
    offer = offers.make(KEYRING, PARTY, (SEGMENT, back), LINES + LINES, "USD")
    assert offers.by_flight(offer) == [
        Charged(LINES[0], 7),
        Charged(LINES[1], 7),
        Charged(LINES[0], 8),
        Charged(LINES[1], 8),
    ]


def test_an_expired_offer_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever refuses it says what the same costs now."""
    offer = made()
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=1))
    assert offers.read(KEYRING, offer.id) == offer


@given(parties, st.lists(segments, min_size=1, max_size=4), st.lists(lines, max_size=6))
def test_any_offer_goes_there_and_back(party: Party, some: list[OfferSegment], price: list[PriceLine]) -> None:
    offer = offers.make(KEYRING, party, tuple(some), tuple(price), "JPY")
    assert offers.read(KEYRING, offer.id) == offer


def test_the_same_offer_has_the_same_token() -> None:
    assert made().id == made().id


def test_an_offer_of_another_keyring_is_refused() -> None:
    refused(made(OTHER).id)


def test_an_offer_outlives_the_rotation_of_its_key() -> None:
    assert offers.read(Keyring((b"n" * 32, b"o" * 32)), made(OTHER).id) == made(OTHER)


def test_a_cheaper_price_under_the_same_signature_is_refused() -> None:
    kid, _, mac = made().id.split(".")
    cheap = offers.make(OTHER, PARTY, (SEGMENT,), LINES[1:], "USD").id.split(".")[1]
    refused(f"{kid}.{cheap}.{mac}")


def test_every_changed_character_is_refused() -> None:
    token = made().id
    for place, character in enumerate(token):
        refused(token[:place] + ("A" if character != "A" else "B") + token[place + 1 :])


def test_a_token_signed_for_something_else_is_no_offer() -> None:
    payload = orjson.dumps({"x": 1, "p": [1, 0, 0], "s": [], "l": [], "c": "USD"})
    refused(KEYRING.sign("owner-of-hold", payload))


@pytest.mark.parametrize("token", ["", "x", "..", "RmxpZ2h0Ojc", "é.é.é"])
def test_what_is_no_token_is_no_offer(token: str) -> None:
    refused(token)
