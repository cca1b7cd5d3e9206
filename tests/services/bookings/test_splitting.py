"""A price is split to the unit; what does not add up, or comes at the wrong time, changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import Conflict, Invalid, NotFound
from core.ids import uuid7
from core.money import Money
from core.states import WrongState
from models import Booking, Share
from services import bookings, outbox
from services.bookings import Part, Paying
from services.gateways import Gateways
from services.holds import HoldExpired
from services.idempotency import KeyReused
from services.payments import PaymentDeclined
from tests.factories.bookings import GUEST, Desk, facts_of, key, pass_time, snapshot
from tests.factories.shares import asked, part, pay_share, split


async def test_equal_shares_lose_no_unit(desk: Desk) -> None:
    booking = await desk.booked("3A")
    shares = await split(desk.database, booking, 7)
    assert sum(share.amount for share in shares) == booking.total
    assert max(share.amount for share in shares) - min(share.amount for share in shares) <= 1
    assert [(share.ordinal, share.label, share.currency) for share in shares] == [
        (number, f"Share {number + 1} of 7", booking.currency) for number in range(7)
    ]


async def test_named_shares_are_kept_as_they_were_named(desk: Desk) -> None:
    booking = await desk.booked("3A")
    parts = [part(booking, 1, " Ada ", "ada@example.org"), part(booking, booking.total - 1, "Grace")]
    shares = await split(desk.database, booking, parts)
    assert [(one.label, one.email, one.amount) for one in shares] == [
        ("Ada", "ada@example.org", 1),
        ("Grace", None, booking.total - 1),
    ]
    assert (await facts_of(desk.database, outbox.booking_stream(booking.id)))[-1] == "booking.split"


async def test_the_same_request_again_splits_once_and_with_other_input_is_refused(desk: Desk) -> None:
    booking, used = await desk.booked("3A"), key()
    first = await split(desk.database, booking, 3, used)
    before = await snapshot(desk.database)
    assert [one.id for one in await split(desk.database, booking, 3, used)] == [one.id for one in first]
    with pytest.raises(KeyReused):
        await split(desk.database, booking, 4, used)
    assert await snapshot(desk.database) == before


async def test_split_anew_the_old_shares_are_withdrawn(desk: Desk, gateways: Gateways) -> None:
    booking = await desk.booked("3A")
    old = await split(desk.database, booking, 2)
    with pytest.raises(PaymentDeclined):
        await pay_share(desk.database, gateways, old[0], "pm_card_visa_chargeDeclined")
    new = await split(desk.database, booking, 3)
    before = await snapshot(desk.database)
    with pytest.raises(Conflict) as refusal:
        await pay_share(desk.database, gateways, old[1])
    assert refusal.value.code == "SHARE_WITHDRAWN"
    async with desk.database.reading() as session:
        here = (await bookings.shares_by_booking_ids(session, [booking.id]))[booking.id]
    assert [one.id for one in here] == [one.id for one in new]
    assert await snapshot(desk.database) == before


def wrong_parts(booking: Booking) -> dict[str, list[Part] | int]:
    half, rest = booking.total // 2, booking.total - booking.total // 2
    good = part(booking, half)
    return {
        "shares": [good, part(booking, rest + 1)],
        "shares.1.amount": [part(booking, booking.total), part(booking, 0)],
        "shares.0.amount": [part(booking, -1), part(booking, booking.total + 1)],
        "shares.1.amount.currency": [good, Part(amount=Money(rest, "EUR"), label="Grace")],
        "shares.1.label": [good, part(booking, rest, " ")],
        "shares.1.email": [good, part(booking, rest, "Grace", "grace")],
        "equally": 1,
    }


@pytest.mark.parametrize("field", list(wrong_parts(Booking(total=2, currency="USD"))))
async def test_parts_that_are_not_the_price_are_refused(desk: Desk, field: str) -> None:
    booking = await desk.booked("3A")
    before = await snapshot(desk.database)
    with pytest.raises(Invalid) as refusal:
        await split(desk.database, booking, wrong_parts(booking)[field])
    assert refusal.value.field == field
    assert await snapshot(desk.database) == before


@pytest.mark.parametrize("count", [0, 10])
async def test_two_to_nine_may_pay(desk: Desk, count: int) -> None:
    booking = await desk.booked("3A")
    before = await snapshot(desk.database)
    with pytest.raises(Invalid):
        await split(desk.database, booking, count)
    with pytest.raises(Invalid):
        await split(desk.database, booking, [part(booking, booking.total)] * count)
    assert await snapshot(desk.database) == before


async def refused(desk: Desk, booking: Booking, kind: type[Conflict], code: str) -> None:
    """A booking cannot be split, and stays as it is."""
    before = await snapshot(desk.database)
    with pytest.raises(kind) as refusal:
        await split(desk.database, booking, 2)
    assert refusal.value.code == code
    assert await snapshot(desk.database) == before


async def test_a_booking_is_split_before_anybody_pays(desk: Desk, gateways: Gateways) -> None:
    promised, paid = await desk.booked("3A"), await desk.booked("3B")
    shares = await split(desk.database, promised, 2)
    await pay_share(desk.database, gateways, shares[0])
    await refused(desk, promised, Conflict, "PAYMENT_UNDER_WAY")
    await bookings.pay(desk.database, gateways, paid.id, "pm_card_visa", None, GUEST, key())
    await refused(desk, paid, Conflict, "ALREADY_PAID")


async def test_a_booking_that_is_over_is_not_split(desk: Desk, gateways: Gateways) -> None:
    late, cancelled = await desk.booked("3A"), await desk.booked("3B")
    async with desk.database.transaction() as session:
        quote = await bookings.quote_cancellation(session, cancelled)
    await bookings.cancel(desk.database, gateways, quote.id, cancelled.id, GUEST, key())
    await refused(desk, cancelled, WrongState, "WRONG_STATE")
    await pass_time(desk.database, timedelta(minutes=16))
    await refused(desk, late, HoldExpired, "HOLD_EXPIRED")


async def test_what_cannot_be_paid_of_a_split_booking(desk: Desk, gateways: Gateways) -> None:
    booking, other = await desk.booked("3A"), await desk.booked("3B")
    shares = await split(desk.database, booking, 2)
    (foreign, _) = await split(desk.database, other, 2)
    await pay_share(desk.database, gateways, shares[0])
    before = await snapshot(desk.database)
    unknown = Share(id=uuid7(), booking_id=booking.id)
    taken = Share(id=foreign.id, booking_id=booking.id)
    for share, kind, code in (
        (shares[0], Conflict, "SHARE_PAID"),
        (unknown, NotFound, "NOT_FOUND"),
        (taken, NotFound, "NOT_FOUND"),
    ):
        with pytest.raises(kind) as refusal:
            await pay_share(desk.database, gateways, share)
        assert refusal.value.code == code
    with pytest.raises(Conflict) as whole:
        await bookings.pay(desk.database, gateways, booking.id, "pm_card_visa", None, GUEST, key())
    assert whole.value.code == "SPLIT"
    assert await snapshot(desk.database) == before


async def test_a_key_that_paid_one_share_pays_no_other(desk: Desk, gateways: Gateways) -> None:
    booking, used = await desk.booked("3A"), key()
    shares = await split(desk.database, booking, 2)
    await pay_share(desk.database, gateways, shares[0], used=used)
    before = await snapshot(desk.database)
    with pytest.raises(KeyReused):
        await pay_share(desk.database, gateways, shares[1], used=used)
    assert await snapshot(desk.database) == before


async def test_a_link_s_keys_are_not_the_owner_s(desk: Desk, gateways: Gateways) -> None:
    booking, used = await desk.booked("3A"), key()
    shares = await split(desk.database, booking, 2)
    first = await pay_share(desk.database, gateways, shares[0], used=used)
    by_link: Paying = asked(shares[1], used=used, by_link=True)
    second = await bookings.pay_as(desk.database, gateways, by_link)
    assert (first.by_link, second.by_link, first.id == second.id) == (False, True, False)
