"""A name that was misspelt: up to three letters, or first and last name the wrong way round. Never another person.

A title may be corrected as it is, a date of birth by up to three digits, together with the name or alone. The first
correction of a passenger is free; each that follows costs what the fare asks for a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from core.db import ReadSession, Session
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.money import Money
from models import Amendment, AmendmentKind, AmendmentStatus, Passenger, PassengerTitle
from services.amendments.drafts import Draft, Given
from services.amendments.picture import Picture, check_open
from services.bookings import rules
from services.bookings.reading import plain

MOST_LETTERS = 3


@dataclass(frozen=True, kw_only=True)
class CorrectName:
    """What a passenger is called, as it should be; None where it is right."""

    passenger_id: UUID
    title: PassengerTitle | None = None
    first_name: str | None = None
    last_name: str | None = None
    date_of_birth: date | None = None


class Names:
    """`drafts.Kind`: a name, corrected."""

    kind = AmendmentKind.NAME

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: CorrectName) -> Draft:
        """Raises NAME_CHANGE_TOO_LARGE, Invalid, and what `check_open` raises."""
        person = next((one for one in picture.people if one.id == wish.passenger_id), None)
        if person is None:
            raise Invalid("Name a passenger of this booking.", field="name.passengerId")
        slots = [one.slot_id for one in picture.segments]
        await check_open(session, picture, slots)
        right = corrected(person, wish)
        check_small(person, right)
        check_age(picture, person, right.date_of_birth)
        again = await corrected_before(session, picture.booking.id, person.id)
        fee = max(trip.family.change_fee for trip in picture.trips) if again else 0
        reason = "The name was corrected before: the fare asks a fee." if again else "A first correction is free."
        return Draft(
            change={
                "slots": slots,
                "passenger": str(person.id),
                "title": right.title,
                "first_name": right.first_name,
                "last_name": right.last_name,
                "date_of_birth": right.date_of_birth.isoformat(),
                "told": told(person, right),
            },
            removed=[],
            added=[],
            fee=Money(fee, picture.booking.currency),
            reason=reason,
        )

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """None: nothing is held."""
        return {}

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """The passenger has the right name, and new tickets in it."""
        passenger_id = UUID(change["passenger"])
        title = change["title"]
        await session.execute(
            update(Passenger)
            .where(Passenger.id == passenger_id)
            .values(
                title=None if title is None else PassengerTitle(title),
                first_name=change["first_name"],
                last_name=change["last_name"],
                date_of_birth=date.fromisoformat(change["date_of_birth"]),
            )
        )
        return Given(passengers=[passenger_id])


@dataclass(frozen=True, kw_only=True)
class Right:
    """Who a passenger is, after a correction."""

    title: PassengerTitle | None
    first_name: str
    last_name: str
    date_of_birth: date


def corrected(person: Passenger, wish: CorrectName) -> Right:
    """The passenger after the correction; raises Invalid for what is no name, and for what changes nothing."""
    for field, name in (("name.firstName", wish.first_name), ("name.lastName", wish.last_name)):
        if name is not None:
            rules.check_name(name, field)
    right = Right(
        title=wish.title or person.title,
        first_name=rules.tidy(wish.first_name or person.first_name),
        last_name=rules.tidy(wish.last_name or person.last_name),
        date_of_birth=wish.date_of_birth or person.date_of_birth,
    )
    if right == Right(
        title=person.title,
        first_name=person.first_name,
        last_name=person.last_name,
        date_of_birth=person.date_of_birth,
    ):
        raise Invalid("This is how the passenger is booked.", field="name")
    return right


def check_small(person: Passenger, right: Right) -> None:
    """Raises NAME_CHANGE_TOO_LARGE for what could be somebody else. Case, accents and punctuation don't count."""
    old = plain(person.first_name), plain(person.last_name)
    new = plain(right.first_name), plain(right.last_name)
    names = [distance(before, after) for before, after in zip(old, new, strict=True)]
    born = distance(f"{person.date_of_birth:%Y%m%d}", f"{right.date_of_birth:%Y%m%d}")
    swapped = old == new[::-1]
    if ((sum(names) > MOST_LETTERS or min(names) > 0) and not swapped) or born > MOST_LETTERS:
        message = f"Up to {MOST_LETTERS} letters of one name can be corrected; another person cannot travel instead."
        raise Conflict(message, code="NAME_CHANGE_TOO_LARGE")


def check_age(picture: Picture, person: Passenger, born: date) -> None:
    """Raises Invalid where a passenger of that date of birth would be priced as somebody else."""
    age = rules.age_on(born, picture.trips[0].flight.local_date)
    if age < 0 or rules.type_of(age) is not person.type:
        raise Invalid(f"A passenger of this age does not travel as {person.type}.", field="name.dateOfBirth")


def distance(one: str, other: str) -> int:
    """How many letters have to be put in, left out, replaced, or swapped with their neighbour, to make one the other.

    Source: optimal string alignment; L. Boytsov, "Indexing methods for approximate dictionary searching" (2011).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        further = [i]
        for j, wanted in enumerate(other, 1):
            best = min(row[j] + 1, further[-1] + 1, row[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                best = min(best, before[j - 2] + 1)
            further.append(best)
        before, row = row, further
    return row[-1]


async def corrected_before(session: ReadSession, booking_id: UUID, passenger_id: UUID) -> bool:
    """Whether a name of that passenger was corrected before."""
    chosen = select(Amendment.id).where(
        Amendment.booking_id == booking_id,
        Amendment.kind == AmendmentKind.NAME,
        Amendment.status == AmendmentStatus.APPLIED,
        Amendment.change["passenger"].astext == str(passenger_id),
    )
    return await session.scalar(chosen.limit(1)) is not None


def told(person: Passenger, right: Right) -> list[list[str]]:
    """What of a passenger changes, in words."""
    pairs = (
        ("title", person.title or "none", right.title or "none"),
        ("name", f"{person.first_name} {person.last_name}", f"{right.first_name} {right.last_name}"),
        ("date of birth", person.date_of_birth.isoformat(), right.date_of_birth.isoformat()),
    )
    return [[what, before, after] for what, before, after in pairs if before != after]
