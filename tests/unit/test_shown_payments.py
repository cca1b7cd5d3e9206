"""What a payment shows of itself to whoever pays: how to go on with it, and nothing that tells a review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from models import Payment, PaymentStatus
from resolvers.payments import ShownPayment
from resolvers.shares import ShownLink, ShownLinkPayment

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
NO_LINK = cast("ShownLink", None)


def payment(status: PaymentStatus, *, by_link: bool = False) -> Payment:
    return Payment(status=status, client_secret="s", by_link=by_link, deadline_at=MOMENT, retry_at=MOMENT)


@pytest.mark.parametrize("status", PaymentStatus)
def test_its_secret_is_shown_while_its_payer_may_have_to_act(status: PaymentStatus) -> None:
    secret = "s" if status in ("INITIATED", "REQUIRES_ACTION") else None
    assert ShownPayment(payment(status), owned=True).client_secret == secret
    assert ShownLinkPayment(payment(status, by_link=True), NO_LINK).client_secret == secret
    assert ShownPayment(payment(status), owned=False).client_secret is None
    assert ShownPayment(payment(status, by_link=True), owned=True).client_secret is None


def test_a_review_shows_what_processing_does() -> None:
    fields = ("status", "client_secret", "redirect_url", "deadline", "retry_at", "decline_code")
    review, processing = (
        [getattr(ShownPayment(payment(status), owned=True), field) for field in fields]
        for status in (PaymentStatus.REVIEW, PaymentStatus.PROCESSING)
    )
    assert review == processing == [PaymentStatus.PROCESSING, None, None, MOMENT, MOMENT, None]
