"""What may be said of a passenger, and what a journey needs to be told; nothing here asks the database.

Source of the codes: IATA special service requests. Of documents: ICAO Doc 9303, and ISO 3166-1 for countries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from core.errors import Invalid
from models import AssistanceCode, DocumentType, Gender, MealCode

NUMBER = re.compile(r"[A-Z0-9]{3,20}")
COUNTRY = re.compile(r"[A-Z]{2}")
AIRLINE = re.compile(r"[A-Z0-9]{2}")
MEMBERSHIP = re.compile(r"[A-Z0-9]{3,16}")
"""A boarding pass has room for sixteen characters (IATA Resolution 792)."""

MARKS = re.compile(r"[\s-]")


class Missing(StrEnum):
    """What is still to be told of a passenger before they check in."""

    DOCUMENT = "DOCUMENT"
    GENDER = "GENDER"


@dataclass(frozen=True, kw_only=True)
class Document:
    """A travel document; `issuing_country` is ISO 3166-1 in two letters. The number is shown to nobody in full."""

    type: DocumentType
    number: str
    issuing_country: str
    expires_on: date

    def __repr__(self) -> str:
        return f"Document({self.type}, ends with {self.number_ends_with})"

    @property
    def number_ends_with(self) -> str:
        """The last four characters of the number, or fewer where that would show more than half of it."""
        return self.number[-min(4, len(self.number) // 2) :]


@dataclass(frozen=True, kw_only=True)
class FrequentFlyer:
    """A membership in an airline's programme: the airline in two characters, and the number."""

    airline_code: str
    number: str


@dataclass(frozen=True, kw_only=True)
class TravelDetails:
    """What is known of a passenger; what is None is not."""

    gender: Gender | None = None
    meal: MealCode | None = None
    assistance: Sequence[AssistanceCode] = ()
    frequent_flyer: FrequentFlyer | None = None
    document: Document | None = None


def tidy(details: TravelDetails, path: str) -> TravelDetails:
    """The same as it is kept: codes in capitals, without the marks that people write for legibility.

    Raises Invalid with the client's field, which lies behind `path`.
    """
    document, flyer = details.document, details.frequent_flyer
    if document is not None:
        number, country = bare(document.number), document.issuing_country.strip().upper()
        if not NUMBER.fullmatch(number):
            raise Invalid("A document's number has 3 to 20 letters and digits.", field=f"{path}.document.number")
        if not COUNTRY.fullmatch(country):
            raise Invalid("Name the country by its two letters.", field=f"{path}.document.issuingCountry")
        document = replace(document, number=number, issuing_country=country)
    if flyer is not None:
        airline, number = flyer.airline_code.strip().upper(), bare(flyer.number)
        if not AIRLINE.fullmatch(airline):
            raise Invalid("Name the airline by its two characters.", field=f"{path}.frequentFlyer.airlineCode")
        if not MEMBERSHIP.fullmatch(number):
            raise Invalid("A membership number has 3 to 16 letters and digits.", field=f"{path}.frequentFlyer.number")
        flyer = FrequentFlyer(airline_code=airline, number=number)
    return replace(details, document=document, frequent_flyer=flyer, assistance=tuple(sorted(set(details.assistance))))


def bare(text: str) -> str:
    """Capitals without spaces and hyphens."""
    return MARKS.sub("", text).upper()


def check_expiry(document: Document | None, last_day: date, path: str) -> None:
    """A document must be good on the day on which the journey ends; raises Invalid."""
    if document is not None and document.expires_on < last_day:
        why = f"This document expires before the journey ends, on {last_day}."
        raise Invalid(why, field=f"{path}.document.expiresOn")


def missing(
    *, international: bool, gender: Gender | None, document: Document | None, last_day: date
) -> tuple[Missing, ...]:
    """What a border's authorities ask of a passenger and nobody has told yet; nothing on a domestic journey.

    A document that has expired by the day on which the journey ends is as good as none.
    """
    if not international:
        return ()
    found = [] if document is not None and document.expires_on >= last_day else [Missing.DOCUMENT]
    return (*found, *(() if gender is not None else (Missing.GENDER,)))
