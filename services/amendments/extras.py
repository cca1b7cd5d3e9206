"""Extras that are added to a confirmed booking: bags, meals, insurance, priority, priced like those of a new booking.

What is counted is held when the quote is confirmed, not before: so nobody keeps meals from others by asking for prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.db import Session
from core.errors import Invalid
from core.ids import uuid7
from core.keys import Keyring
from core.money import Money
from models import AmendmentKind, BookingExtra, ExtraStatus
from services import extras
from services.amendments.drafts import Draft, Given
from services.amendments.picture import Picture, check_open
from services.extras import Chosen, ExtraChoice, ExtraSoldOut
from services.transitions import Cause

FIELD = "extras"
CAUSE = Cause(actor="saga", reason="added to the booking")


@dataclass(frozen=True, kw_only=True)
class AddExtras:
    """What passengers are to have beside what they have: each choice with its passenger."""

    choices: tuple[tuple[UUID, ExtraChoice], ...]


class Extras:
    """`drafts.Kind`: more extras."""

    kind = AmendmentKind.EXTRAS

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: AddExtras) -> Draft:
        """Raises Invalid and Conflict as `extras.choose` does, ExtraSoldOut, and as `check_open`."""
        chosen = await choose(session, picture, wish)
        slots = sorted({one.extra.slot_id for one in chosen})
        await check_open(session, picture, slots)
        stock = extras.stock(chosen)
        for one in chosen:
            wanted = stock.get((one.extra.slot_id, one.extra.pool or ""), 0)
            if one.extra.left is not None and one.extra.left < wanted:
                raise ExtraSoldOut(one.extra.slot_id, one.extra.code, one.extra.left)
        return Draft(
            change={
                "slots": slots,
                "stock": [[slot_id, pool, count] for (slot_id, pool), count in sorted(stock.items())],
                "extras": [row(picture, one) for one in chosen],
                "told": [told(picture, one) for one in chosen],
            },
            removed=[],
            added=extras.lines(chosen),
            fee=Money(0, picture.booking.currency),
            reason="Extras are added at their price.",
        )

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """None: booking classes count seats."""
        return {}

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """The passengers have them, with documents of their own."""
        booking_id = picture.booking.id
        rows = [
            BookingExtra(
                id=uuid7(),
                booking_id=booking_id,
                passenger_id=UUID(passenger),
                extra_id=extra_id,
                slot_id=slot_id,
                pool=pool,
                quantity=quantity,
                unit_amount=amount,
                status=ExtraStatus.ORDERED,
            )
            for passenger, extra_id, slot_id, pool, quantity, amount in change["extras"]
        ]
        await extras.write(session, rows, CAUSE)
        await extras.issue(session, booking_id, CAUSE)
        return Given()


async def choose(session: Session, picture: Picture, wish: AddExtras) -> list[Chosen]:
    """What is wished for, held against what the booking's flights have and its passengers have already."""
    known = {one.id for one in picture.people}
    if not wish.choices or not {passenger for passenger, _ in wish.choices} <= known:
        raise Invalid("Name passengers who travel on this booking, and what they want.", field=FIELD)
    wishes = [
        extras.Wish(
            path=FIELD,
            type=one.type,
            choices=[choice for passenger, choice in wish.choices if passenger == one.id],
            had=extras.had_by(picture.extras, one.id),
        )
        for one in picture.people
    ]
    return await extras.choose(session, [one.slot_id for one in picture.segments], picture.booking.currency, wishes)


def row(picture: Picture, one: Chosen) -> list[Any]:
    """A choice as `apply` reads it."""
    passenger = picture.people[one.place]
    return [
        str(passenger.id),
        one.extra.extra_id,
        one.slot_id,
        one.extra.pool,
        one.quantity,
        one.price.minor_units,
    ]


def told(picture: Picture, one: Chosen) -> list[str]:
    """What somebody has more, in words."""
    passenger = picture.people[one.place]
    where = "" if one.slot_id is None else f" on {one.extra.flight}"
    what = f"{one.extra.name}{where} for {passenger.first_name} {passenger.last_name}"
    return [what, "none more", f"{one.quantity} more"]
