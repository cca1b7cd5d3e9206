"""What a booking and its passengers and contact must be; nothing here asks the database.

Each check raises Invalid with the field in the client's spelling (`passengers.0.firstName`), or Conflict with
PASSENGERS_DO_NOT_MATCH where who travels and what was priced or held are not the same party.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.errors import Conflict, Invalid
from core.states import WrongState
from models import Booking, BookingStatus, Cabin, PassengerTitle, PassengerType
from services import travellers
from services.extras import ExtraChoice
from services.fares import Party
from services.holds import Owner, PoolKey
from services.travellers import TravelDetails

MAX_NAME = 60
MAX_AGE = 120
CHILD_FROM, ADULT_FROM = 2, 12
"""Ages in years on the day of travel at which an infant becomes a child, and a child an adult."""

NOTHING_KNOWN = TravelDetails()

NAME_MARKS = frozenset(" -'’")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
PHONE = re.compile(r"\+?[0-9]{6,15}")
PHONE_MARKS = re.compile(r"[\s().-]")


@dataclass(frozen=True, kw_only=True)
class SeatChoice:
    """A seat that a passenger wants on one flight, by its slot; `unit` None: any, to be chosen later."""

    slot_id: int
    unit: str | None


@dataclass(frozen=True, kw_only=True)
class PassengerDetails:
    """Somebody who is to travel. `accompanied_by` is, for an infant, the place of an adult among the passengers; None:
    the first who has no infant yet."""

    type: PassengerType
    title: PassengerTitle | None
    first_name: str
    last_name: str
    date_of_birth: date
    seats: tuple[SeatChoice, ...]
    accompanied_by: int | None = None
    details: TravelDetails = NOTHING_KNOWN
    extras: tuple[ExtraChoice, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Whom to tell about the booking."""

    email: str
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class CreateBooking:
    """A booking that somebody asks for, of an offer (by its token) and a hold that is theirs."""

    owner: Owner
    offer_token: str
    hold_id: UUID
    contact: Contact
    passengers: tuple[PassengerDetails, ...]
    idempotency_key: str
    source: str | None = None
    referral_code: str | None = None


def check_words(command: CreateBooking) -> None:
    """Names and contact, as far as their letters go."""
    check_email(command.contact.email, "contact.email")
    if command.contact.phone is not None and not PHONE.fullmatch(bare_phone(command.contact.phone)):
        raise Invalid("This is not a phone number.", field="contact.phone")
    for field, text in (("source", command.source), ("referralCode", command.referral_code)):
        if text is not None and not (1 <= len(text) <= 100 and text.isprintable()):
            raise Invalid("Use 1 to 100 letters and digits.", field=field)
    for index, passenger in enumerate(command.passengers):
        check_name(passenger.first_name, f"passengers.{index}.firstName")
        check_name(passenger.last_name, f"passengers.{index}.lastName")
        travellers.tidy(passenger.details, f"passengers.{index}.details")


def check_email(text: str, field: str) -> None:
    """An address as far as its letters tell (RFC 5321: 254 at most)."""
    if not EMAIL.fullmatch(text.strip()) or len(text) > 254:
        raise Invalid("This is not an e-mail address.", field=field)


def bare_phone(text: str) -> str:
    """A phone number without the marks that people write for legibility."""
    return PHONE_MARKS.sub("", text)


def tidy(name: str) -> str:
    """A name as it is kept: composed letters (Unicode NFC), single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def check_name(name: str, field: str) -> None:
    """1 to 60 letters of any script, spaces, hyphens and apostrophes; a letter at least."""
    text = tidy(name)
    letters = [unicodedata.category(one)[0] in "LM" for one in text if one not in NAME_MARKS]
    if not letters or not all(letters) or len(text) > MAX_NAME:
        raise Invalid(f"A name has 1 to {MAX_NAME} letters, spaces, hyphens and apostrophes.", field=field)


def check_payable(booking: Booking) -> None:
    """Raises Conflict unless the booking waits for its money; an EXPIRED one is told by its hold."""
    match booking.status:
        case BookingStatus.SEATS_LOCKED | BookingStatus.EXPIRED:
            return
        case BookingStatus.PAYMENT_PENDING:
            raise Conflict("A payment for this booking is under way.", code="PAYMENT_UNDER_WAY")
        case BookingStatus.CONFIRMED | BookingStatus.CHECKED_IN | BookingStatus.COMPLETED | BookingStatus.NO_SHOW:
            raise Conflict("This booking is paid.", code="ALREADY_PAID")
        case other:
            raise WrongState(f"A booking that is {other} cannot be paid.")


def check_party(passengers: Sequence[PassengerDetails], party: Party) -> None:
    """The passengers are, by type, those whom the offer was priced for."""
    count = Counter(passenger.type for passenger in passengers)
    found = Party(
        adults=count[PassengerType.ADULT], children=count[PassengerType.CHILD], infants=count[PassengerType.INFANT]
    )
    if found.infants > found.adults:
        raise Conflict("Each infant sits on the lap of an adult.", code="PASSENGERS_DO_NOT_MATCH")
    if found != party:
        raise Conflict("The offer was made for other passengers.", code="PASSENGERS_DO_NOT_MATCH")


def laps(passengers: Sequence[PassengerDetails]) -> dict[int, int]:
    """On whose lap each infant sits: places among the passengers, an infant's to its adult's.

    As the passengers say; who says nothing sits with the first adult who has none. There are no more infants than
    adults. Raises Invalid where somebody names who is no adult, or has an infant already, or is no infant.
    """
    given: dict[int, int] = {}
    for index, passenger in enumerate(passengers):
        adult, path = passenger.accompanied_by, f"passengers.{index}.accompaniedBy"
        if adult is None:
            continue
        if passenger.type is not PassengerType.INFANT:
            raise Invalid("Only an infant sits on somebody's lap.", field=path)
        if not 0 <= adult < len(passengers) or passengers[adult].type is not PassengerType.ADULT:
            raise Invalid("An infant sits on the lap of an adult of the booking.", field=path)
        if adult in given.values():
            raise Invalid("No adult has two infants on their lap.", field=path)
        given[index] = adult
    adults = [index for index, one in enumerate(passengers) if one.type is PassengerType.ADULT]
    free = iter([index for index in adults if index not in given.values()])
    infants = [index for index, one in enumerate(passengers) if one.type is PassengerType.INFANT]
    return given | {index: next(free) for index in infants if index not in given}


def check_ages(passengers: Sequence[PassengerDetails], day: date) -> None:
    """Each passenger is, on the local day on which the journey begins, of the age that goes with their type."""
    for index, passenger in enumerate(passengers):
        field = f"passengers.{index}.dateOfBirth"
        age = age_on(passenger.date_of_birth, day)
        if not 0 <= age <= MAX_AGE:
            raise Invalid("This is not a traveller's date of birth.", field=field)
        if passenger.type is not type_of(age):
            raise Invalid(f"At {age} years this passenger travels as {type_of(age)}.", field=field)


def age_on(born: date, day: date) -> int:
    """Completed years of age; negative for somebody who is not born yet."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def type_of(age: int) -> PassengerType:
    """As whom somebody of that age travels."""
    if age < CHILD_FROM:
        return PassengerType.INFANT
    return PassengerType.CHILD if age < ADULT_FROM else PassengerType.ADULT


def check_seats(
    passengers: Sequence[PassengerDetails],
    cabins: Mapping[int, Cabin],
    held: Mapping[tuple[int, str], str],
    unseated: Mapping[PoolKey, int],
) -> None:
    """Every passenger but an infant has one place on each flight, in its cabin; together they have what is held.

    A place is a seat, or, for whoever chooses none, one that the hold keeps without a seat. `cabins` are the offer's
    flights with the cabin sold on each, `held` the hold's seats by (slot, number) with the pool that counts each,
    `unseated` how many places without a seat it keeps of each pool.
    """
    given: set[tuple[int, str]] = set()
    left = dict(unseated)
    for index, passenger in enumerate(passengers):
        field = f"passengers.{index}.seats"
        if passenger.type is PassengerType.INFANT:
            if passenger.seats:
                raise Invalid("An infant sits on a lap, without a seat of its own.", field=field)
            continue
        chosen = Counter(seat.slot_id for seat in passenger.seats)
        if chosen.keys() - cabins.keys() or any(count > 1 for count in chosen.values()):
            raise Invalid("Choose one seat on each flight.", field=field)
        seats = {seat.slot_id: seat.unit for seat in passenger.seats}
        for slot_id, cabin in cabins.items():
            unit = seats.get(slot_id)
            if unit is None:
                take_unseated(left, slot_id, cabin, field)
            else:
                check_seat((slot_id, unit), cabin, held, given, field)
                given.add((slot_id, unit))
    check_all_taken(held.keys() - given, left)


def check_seat(
    place: tuple[int, str],
    cabin: Cabin,
    held: Mapping[tuple[int, str], str],
    given: Set[tuple[int, str]],
    field: str,
) -> None:
    """The seat is held, in the cabin of the offer, and nobody else's of the party."""
    _, unit = place
    if place not in held:
        raise Invalid(f"The hold does not keep seat {unit}.", field=field, code="SEAT_NOT_HELD")
    if held[place] != cabin:
        raise Invalid(f"Seat {unit} is not in the cabin of the offer.", field=field, code="WRONG_CABIN")
    if place in given:
        raise Invalid(f"Seat {unit} is given to two passengers.", field=field, code="SEAT_GIVEN_TWICE")


def take_unseated(left: dict[PoolKey, int], slot_id: int, cabin: Cabin, field: str) -> None:
    """Give one of the places that are held without a seat in that cabin to a passenger who chooses none."""
    if left.get((slot_id, cabin), 0) > 0:
        left[slot_id, cabin] -= 1
    elif any(slot == slot_id and count for (slot, _), count in left.items()):
        raise Invalid("What is held without a seat is not in the cabin of the offer.", field=field, code="WRONG_CABIN")
    else:
        raise Invalid("Choose one seat on each flight.", field=field)


def check_all_taken(seats: Set[tuple[int, str]], unseated: Mapping[PoolKey, int]) -> None:
    """Nothing that is held is left over."""
    over = sorted(unit for _, unit in seats)
    over += [f"{count} without a seat in {pool}" for (_, pool), count in sorted(unseated.items()) if count]
    if over:
        raise Conflict(f"The hold also keeps {', '.join(over)}.", code="PASSENGERS_DO_NOT_MATCH")
